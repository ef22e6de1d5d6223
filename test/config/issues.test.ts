import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance } from "../../src/spelling.ts";
import { mergeTrees, toPlain } from "../../src/config/yaml/tree.ts";
import { locateIn, readYaml } from "../../src/config/yaml/yaml.ts";
import { problemsOf, withRequired } from "./from-yaml.ts";

test.each([
  ["labels: [a]", "5:1: labels: should be a map, not a list"],
  ["labels: {a: {b: c}}", "5:10: labels/a: should be a string, not a map"],
  ["volumes: /a:/a", "5:1: volumes: should be a list, not a string"],
  ["hooks_path: yes", "5:1: hooks_path: should be a string, not true: put quotes around it"],
  ["readiness_delay: soon", "5:1: readiness_delay: should be a number"],
  ["readiness_delay: yes", "5:1: readiness_delay: should be a number, not true or false"],
  ["readiness_delay: -1", "5:1: readiness_delay: should be a number of seconds, 0 or more"],
  ["retain_containers: 0", "5:1: retain_containers: should be a whole number, 1 or more"],
  ["healthcheck: {interval: 5}", "5:15: healthcheck/interval: should be a duration such as 1s, 500ms or 1m30s"],
  ["ssh: {config: {a: b}}", "5:7: ssh/config: should be true or false or a list, not a map"],
  ["builder: {local: {host: x}}", "5:11: builder/local/arch: is required"],
  ["env: {secret: A}", "5:7: env/secret: should be a list, not a string"],
  ["env: {secret: [a-b]}", "5:16: env/secret/0: should be the name of an environment variable"],
  ["env: {clear: {A: 1}, B: 2}", "5:22: env/B: unknown key: B (known keys: clear, secret, tags)"],
  [
    "env: {secret: [PATH]}",
    "5:16: env/secret/0: cannot be a secret: docker or the shell on the host uses a variable of this name: choose another name",
  ],
  [
    "builder: {secrets: [DOCKER_HOST]}",
    "5:21: builder/secrets/0: cannot be a secret: docker or the shell on the host uses a variable of this name: choose another name",
  ],
  ['env: {A: "a\\0b"}', "5:7: env/A: should have no NUL byte, which no command line can carry"],
  [
    "network: host",
    "5:1: network: should be the name of a user-defined network: in docker's bridge, host and none containers have no names",
  ],
  ["minimum_version: latest", "5:1: minimum_version: should be a version such as 1.9.0"],
  ["minimum_version: 3.0.0", "5:1: minimum_version: Current version is 2.12.0, minimum required is 3.0.0"],
  ["asset_path: public", "5:1: asset_path: should be an absolute path in the container"],
  ["ssh: {log_level: loud}", "5:7: ssh/log_level: should be debug, info, warn, error or fatal"],
  ["env: {A B: 1}", "5:7: env/A B: should be a name without spaces and ="],
  ["env: {A: [1]}", "5:7: env/A: should be a string, not a list"],
  ["env: [A]", "5:1: env: should be a map, not a list"],
  ["env: {tags: {a: {B: [1]}}}", "5:18: env/tags/a/B: should be a string, not a list"],
  ["accessories: {db: mysql}", "5:15: accessories/db: should be a map, not a string"],
  [
    "traefik: {options: {--x: 1}}",
    "5:21: traefik/options/--x: should be the name of an option, without leading dashes",
  ],
  ["release: [a]", "5:1: release: should be a string or a map, not a list"],
  ["primary_role: api", "5:1: primary_role: The primary_role api isn't defined (roles: web)"],
])("%s", async (yaml, line) => {
  expect(await problemsOf(withRequired(`${yaml}\n`))).toEqual([`deploy.yml:${line}`]);
});

test("the distance of two words counts the letters to change", () => {
  expect(editDistance("servces", "servers")).toBe(2);
  expect(editDistance("serevrs", "servers")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

test("two files are merged map by map: the second wins, and keys keep their order", () => {
  const value = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: "small" }, fc.integer(), fc.array(fc.integer()), tie("map")),
    map: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("tree"), { noNullPrototype: true }),
  })).map;
  fc.assert(
    fc.property(value, value, (base, over) => {
      const [one, two] = [base, over].map((map) => readYaml(JSON.stringify(map), locateIn("", "x")).tree!);
      expect(toPlain(mergeTrees(one!, two!))).toEqual(deepMerge(base, over));
    }),
  );
});

function deepMerge(base: unknown, over: unknown): unknown {
  if (!isMap(base) || !isMap(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) merged[key] = key in base ? deepMerge(base[key], value) : value;
  return merged;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

test("a value that no command line can contain is reported with its position, and not printed", async () => {
  const [problem] = await problemsOf(
    withRequired(`env: {clear: {FITS: ${"x".repeat(131_066)}, A: ${"x".repeat(131_070)}}}\n`),
  );
  expect(problem).toMatch(
    /^deploy.yml:5:\d+: env\/clear\/A: cannot be used: with its name it is longer than the 131071 bytes/,
  );
  expect(problem).not.toContain("xxx");
});
