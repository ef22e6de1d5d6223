import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { keyPaths, SECTIONS } from "../../src/config/reference/reference.ts";
import { jsonSchema } from "../../src/config/reference/schema.ts";
import { docsText, markdownTable, sectionList } from "../../src/config/reference/text.ts";
import { writtenConfig } from "../../src/config/schema.ts";
import { schemaPaths } from "./schema-paths.ts";

type Json = Record<string, unknown>;

test("every key of the schema is documented, and every documented key is in the schema", () => {
  expect([...keyPaths().keys()].toSorted()).toEqual(schemaPaths().toSorted());
});

describe("an example", () => {
  const cases = SECTIONS.flatMap((section) => section.keys.map((key) => [`${section.name}: ${key.key}`, section, key]));

  test.each(cases as [string, (typeof SECTIONS)[number], (typeof SECTIONS)[number]["keys"][number]][])(
    "of %s is valid",
    (_, section, { key, example }) => {
      const given = parse(example) as Json;
      expect(Object.keys(given)).toEqual([key.split(".")[0]]);
      const config = placed(section.at[0]!, given);
      const { success, error } = writtenConfig.safeParse(config, { jitless: true });
      expect(success ? [] : error.issues).toEqual([]);
    },
  );
});

/** A complete file with the example in its place. */
function placed(at: string, example: Json): Json {
  const base: Json = { service: "app", image: "a/b", servers: ["h"], registry: { username: "u", password: ["P"] } };
  const accessory: Json = { image: "redis", host: "h" };
  switch (at) {
    case "":
      return { ...base, ...example };
    case "servers.*":
      return { ...base, servers: { web: { hosts: ["h"], ...example } } };
    case "accessories.*":
      return { ...base, accessories: { db: { ...accessory, ...example } } };
    case "registry":
      return { ...base, registry: { ...(base["registry"] as Json), ...example } };
    case "release":
      return { ...base, release: { command: "true", ...example } };
    default:
      return { ...base, [at]: example };
  }
}

test("each entry has a text without a full stop, and its key occurs once in the section", () => {
  for (const { keys } of SECTIONS) {
    for (const { meaning, key } of keys) expect(`${key}: ${meaning}`).toMatch(/[^.\s]$/);
    expect(new Set(keys.map(({ key }) => key)).size).toBe(keys.length);
  }
});

test("the list of sections has a line for each section", () => {
  const [, ...lines] = sectionList().split("\n\n")[0]!.split("\n");
  expect(lines.map((line) => line.trim().split(" ")[0])).toEqual(SECTIONS.map(({ name }) => name));
});

test("docs finds a section by its name, the beginning of its name or its singular, and a key by its name or path", () => {
  expect(sectionList()).toContain("\n  accessories ");
  expect(docsText("boot")).toContain("boot.limit");
  expect(docsText("accessory")).toContain("accessories.NAME.port");
  expect(docsText("role")).toContain("servers.ROLE.cmd");
  expect(docsText("drain_timeout")).toContain("default: 30");
  expect(docsText("traefik.host_port")).toContain("default: 80");
  expect(() => docsText("nosuch")).toThrow("There is no section or key 'nosuch'");
});

test("docs of secrets and proxy have every key of the topic, with its default and an example", () => {
  const keysIn = (text: string) => Array.from(text.matchAll(/^ {2}(\S+) {2}\(/gm), ([, key]) => key);
  expect(keysIn(docsText("secrets"))).toEqual([
    "secrets_path",
    "registry.username",
    "registry.password",
    "env.secret",
    "env.tags",
    "builder.secrets",
    "builder.allow_tracked_env",
    "accessories.NAME.registry",
    "accessories.NAME.env",
    "proxy.ssl.certificate_pem",
    "proxy.ssl.private_key_pem",
    "traefik.env",
    "ssh.key_data",
  ]);
  const proxy = docsText("proxy");
  const section = SECTIONS.find(({ name }) => name === "proxy")!;
  expect(keysIn(proxy)).toEqual(section.keys.map(({ key }) => `proxy.${key}`));
  expect(proxy.match(/; default: /g)).toHaveLength(section.keys.length);
  expect(proxy).toContain("  proxy.app_port  (port; default: 80; as Kamal 2.0)\n    Port of the app");
  expect(proxy).toContain("\n      app_port: 3000\n");
  expect(proxy).toContain("true: Traefik gets a certificate from Let's Encrypt for each host, on at most 4 servers");
});

describe("the JSON Schema", () => {
  const schema = jsonSchema();
  const property = (of: unknown, name: string) => ((of as Json)["properties"] as Json)[name] as Json;

  test("is draft 7, refuses unknown keys, and allows x- keys", () => {
    expect(schema["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
    expect(schema["additionalProperties"]).toBe(false);
    expect(schema["patternProperties"]).toEqual({ "^x-": {} });
    expect(schema["required"]).toEqual(["service", "registry"]);
  });

  test("has the texts of the reference", () => {
    expect(property(schema, "drain_timeout")["description"]).toContain("Default: 30.");
    expect(JSON.stringify(property(schema, "env"))).toContain(
      "env.tags: Additional variables for the hosts with that tag",
    );
    expect(JSON.stringify(property(schema, "servers"))).toContain("servers.ROLE.cmd: ");
  });
});

const HEADING = "| key | type | default | since | meaning |";

/** The first line of the table that line `i` is in. */
function tableOf(lines: readonly string[], i: number): string {
  return lines[lines.slice(0, i).findLastIndex((line) => !line.startsWith("| ")) + 1]!;
}

test("the table of the guide is the output of mrsk docs --markdown", () => {
  const guide = readFileSync(new URL("../../src/docs/keys.md", import.meta.url), "utf8");
  const rows = guide.split("\n").filter((line, i, all) => line.startsWith("| ") && tableOf(all, i) === HEADING);
  expect(rows).toEqual(markdownTable().trimEnd().split("\n"));
});

test("every key in the example files of MRSK is documented", () => {
  const folder = new URL("../fixtures/examples/", import.meta.url);
  const documented = new Set(SECTIONS[0]!.keys.map(({ key }) => key));
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".yml"))) {
    const found = parse(readFileSync(new URL(file, folder), "utf8"), { merge: true }) as Json;
    expect(Object.keys(found).filter((key) => !key.startsWith("x-") && !documented.has(key))).toEqual([]);
  }
});
