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

test.each([
  ...examples.map((name) => `examples/${name}`),
  "examples/destinations/config/deploy.yml",
  "full.yml",
  "full-kamal2.yml",
])("the JSON Schema accepts %s", (path) => {
  expect(problems(read(path))).toEqual([]);
});

describe("required keys", () => {
  const credentials = { username: "u", password: ["P"] };

  test.each(["service", "image", "servers", "registry"])("%s is required", (key) => {
    expect(problems({})).toContain(` must have required property '${key}'`);
  });

  test.each([
    ["a local registry needs no image", { registry: { server: "localhost:5555" }, servers: ["h"] }],
    [
      "accessories need no servers",
      { image: "a/b", registry: credentials, accessories: { db: { image: "x", host: "h" } } },
    ],
  ])("%s", (_, keys) => {
    expect(problems({ service: "app", ...keys })).toEqual([]);
  });

  test.each([
    ["image", { registry: { server: "localhost", ...credentials }, servers: ["h"] }],
    ["image", { registry: credentials, servers: ["h"] }],
    ["servers", { image: "a/b", registry: credentials }],
  ])("otherwise, a missing %s is an error", (key, keys) => {
    expect(problems({ service: "app", ...keys })).toContain(` must have required property '${key}'`);
  });
});

/** The maps of the file at a path of the reference, `*` for any name. */
function mapsAt(file: unknown, path: readonly string[]): Json[] {
  if (typeof file !== "object" || file === null || Array.isArray(file)) return [];
  const [first, ...rest] = path;
  if (first === undefined) return [file as Json];
  const below = first === "*" ? Object.values(file) : [(file as Json)[first]];
  return below.flatMap((value) => mapsAt(value, rest));
}

/** Together they have every key. */
const FULL = ["full.yml", "full-kamal2.yml"];

/** The maps that have the key at a path. Keys of `files` and `directories` are in the items of a list. */
function mapsWith(file: unknown, keys: readonly string[]): Json[] {
  const key = keys.at(-1)!;
  const items = mapsAt(file, keys.slice(0, -2)).flatMap((map) => map[keys.at(-2)!] ?? []);
  return [...mapsAt(file, keys.slice(0, -1)), ...(items as Json[])].filter(
    (map) => typeof map === "object" && key in map,
  );
}

describe("the JSON Schema refuses an unknown key", () => {
  const places = [...new Set(SECTIONS.flatMap(({ at }) => at))];
  test.each(places)("at '%s'", (at) => {
    const keys = at === "" ? [] : at.split(".");
    const file = FULL.map(read).find((one) => mapsAt(one, keys).length > 0);
    const maps = mapsAt(file, keys);
    expect(maps).not.toEqual([]);
    maps[0]!["no_such_key"] = "x";
    expect(problems(file)).not.toEqual([]);
  });
});

describe("the JSON Schema refuses a value of a wrong type", () => {
  test.each([...keyPaths().keys()])("%s", (path) => {
    const keys = path.split(".");
    const key = keys.at(-1)!;
    const [file, map] = FULL.map(read)
      .flatMap((one) => mapsWith(one, keys).map((found) => [one, found] as const))
      .at(0)!;
    map[key] = [[["nonsense"]]];
    expect(problems(file)).not.toEqual([]);
  });
});
