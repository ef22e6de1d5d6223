import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { keyPaths, SECTIONS } from "../../src/config/reference/reference.ts";
import { jsonSchema } from "../../src/config/reference/schema.ts";

type Json = Record<string, unknown>;

const FIXTURES = new URL("../fixtures/", import.meta.url);
const validate = new Ajv({ allErrors: true, strict: false }).compile(jsonSchema());
const read = (path: string) => parse(readFileSync(new URL(path, FIXTURES), "utf8"), { merge: true }) as Json;
const problems = (file: unknown) => {
  validate(file);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

const examples = readdirSync(new URL("examples/", FIXTURES)).filter((name) => name.endsWith(".yml"));

test.each([...examples.map((name) => `examples/${name}`), "examples/destinations/config/deploy.yml", "full.yml"])(
  "the JSON Schema accepts %s",
  (path) => {
    expect(problems(read(path))).toEqual([]);
  },
);

test("a missing required key is an error", () => {
  expect(problems({ service: "app" })).toContain(" must have required property 'image'");
});

/** The maps of the file at a path of the reference, `*` for any name. */
function mapsAt(file: unknown, path: readonly string[]): Json[] {
  if (typeof file !== "object" || file === null || Array.isArray(file)) return [];
  const [first, ...rest] = path;
  if (first === undefined) return [file as Json];
  const below = first === "*" ? Object.values(file) : [(file as Json)[first]];
  return below.flatMap((value) => mapsAt(value, rest));
}

describe("the JSON Schema refuses an unknown key", () => {
  const places = [...new Set(SECTIONS.flatMap(({ at }) => at))];
  test.each(places)("at '%s'", (at) => {
    const file = read("full.yml");
    const maps = mapsAt(file, at === "" ? [] : at.split("."));
    expect(maps).not.toEqual([]);
    maps[0]!["no_such_key"] = "x";
    expect(problems(file)).not.toEqual([]);
  });
});

describe("the JSON Schema refuses a value of a wrong type", () => {
  test.each([...keyPaths().keys()])("%s", (path) => {
    const file = read("full.yml");
    const keys = path.split(".");
    const key = keys.at(-1)!;
    const maps = mapsAt(file, keys.slice(0, -1)).filter((map) => key in map);
    // `files` is a list: its keys are in its items.
    if (maps.length === 0) maps.push((mapsAt(file, keys.slice(0, -2))[0]![keys.at(-2)!] as Json[])[0]!);
    maps[0]![key] = [[["nonsense"]]];
    expect(problems(file)).not.toEqual([]);
  });
});
