import type * as z from "zod/mini";
import { writtenConfig } from "../../src/config/schema.ts";
import { lazySchemas, splitForms } from "../../src/config/schema-parts.ts";

/** The parts of a zod schema that the walk follows. */
interface Definition {
  readonly innerType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
}

/** The path of every key in the schema, with `*` for any name, as `keyPaths` of the reference has them. */
export function schemaPaths(schema: z.core.$ZodType = writtenConfig, at: readonly string[] = []): string[] {
  const behind = splitForms.get(schema) ?? lazySchemas.get(schema)?.();
  if (behind) return schemaPaths(behind, at);
  const { innerType, options, element, valueType, in: input, shape } = schema._zod.def as unknown as Definition;
  const below = [innerType, element, input, ...(options ?? [])].filter((inner) => inner !== undefined);
  const paths = below.flatMap((inner) => schemaPaths(inner, at));
  if (valueType) paths.push(...schemaPaths(valueType, [...at, "*"]));
  for (const [key, inner] of Object.entries(shape ?? {})) {
    paths.push([...at, key].join("."), ...schemaPaths(inner, [...at, key]));
  }
  return [...new Set(paths)];
}
