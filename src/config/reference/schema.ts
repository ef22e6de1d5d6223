import * as z from "zod/mini";
import { keyPaths, placeholders } from "./reference.ts";
import { LOCAL_SERVER } from "../era.ts";
import { writtenConfig } from "../schema.ts";
import { lazySchemas, splitForms, values } from "../schema-parts.ts";

type Json = Record<string, unknown>;

/** JSON Schema (draft 7) of `deploy.yml` as users write it, with the reference's text for each key. */
export function jsonSchema(): Json {
  const schema = convert(writtenConfig);
  schema["title"] = "deploy.yml of mrsk";
  schema["patternProperties"] = { "^x-": {} };
  schema["required"] = ["service", "registry"];
  schema["allOf"] = [{ anyOf: [{ required: ["image"] }, LOCAL_REGISTRY] }, { anyOf: [SERVERS, ACCESSORIES] }];
  describe(schema, []);
  return schema;
}

/** In a file of Kamal 2, the image of a local registry is named after the service, and accessories need no servers. */
const LOCAL_REGISTRY = {
  required: ["registry"],
  properties: { registry: { required: ["server"], properties: { server: { pattern: LOCAL_SERVER.source } } } },
};
const SERVERS = { required: ["servers"] };
const ACCESSORIES = { required: ["accessories"] };

function convert(of: z.core.$ZodType): Json {
  return z.toJSONSchema(of, {
    io: "input",
    target: "draft-7",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema: target }) => {
      const split = splitForms.get(zodSchema);
      const made = lazySchemas.get(zodSchema)?.();
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
