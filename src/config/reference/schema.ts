import * as z from "zod/mini";
import { keyPaths, placeholders } from "./reference.ts";
import { writtenConfig } from "../schema.ts";
import { madeLater, splitForms, values } from "../schema-parts.ts";

/** The parts of zod's schemas that this file reads. */
interface Definition {
  readonly type: string;
  readonly innerType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
}

/** Every path of a key in the schema, `*` for any name, in the form of `keyPaths`. */
export function schemaPaths(schema: z.core.$ZodType = writtenConfig, at: readonly string[] = []): string[] {
  const behind = splitForms.get(schema) ?? madeLater.get(schema)?.();
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

type Json = Record<string, unknown>;

/** JSON Schema (draft 7) of `deploy.yml` as users write it, with the reference's text for each key. */
export function jsonSchema(): Json {
  const schema = convert(writtenConfig);
  schema["title"] = "deploy.yml of mrsk";
  schema["patternProperties"] = { "^x-": {} };
  describe(schema, []);
  return schema;
}

function convert(of: z.core.$ZodType): Json {
  return z.toJSONSchema(of, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema: target }) => {
      const split = splitForms.get(zodSchema);
      const made = madeLater.get(zodSchema)?.();
      if (made) Object.assign(target, withoutDialect(convert(made)));
      if (split) Object.assign(target, { anyOf: [withoutDialect(convert(split)), withoutDialect(convert(values))] });
    },
  }) as Json;
}

function withoutDialect(schema: Json): Json {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema"));
}

function describe(schema: Json, at: readonly string[]): void {
  const branches = [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"]), ...listOf([schema["items"]])];
  for (const branch of branches) describe(branch, at);
  if (isJson(schema["additionalProperties"])) describe(schema["additionalProperties"], [...at, "*"]);
  for (const [key, below] of Object.entries((schema["properties"] ?? {}) as Record<string, Json>)) {
    const path = [...at, key];
    const known = KEYS.get(path.join("."));
    if (known) {
      const fallback = known.default === "required" ? "" : ` Default: ${known.default}.`;
      below["description"] = `${placeholders(path.join("."))}: ${known.meaning}.${fallback}`;
    }
    describe(below, path);
  }
}

const KEYS = keyPaths();

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
