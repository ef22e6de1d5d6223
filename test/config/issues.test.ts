import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance } from "../../src/config/issues.ts";
import { mergeTrees, toPlain } from "../../src/config/tree.ts";
import { locateIn, readYaml } from "../../src/config/yaml.ts";
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
  ["env: {clear: {A: 1}, B: 2}", "5:22: env/B: unknown key: B (known are clear, secret, tags)"],
  ["env: {A B: 1}", "5:7: env/A B: should be a name without blanks and ="],
  ["env: {A: [1]}", "5:7: env/A: should be a string, not a list"],
  ["env: [A]", "5:1: env: should be a map, not a list"],
  ["env: {tags: {a: {B: [1]}}}", "5:18: env/tags/a/B: should be a string, not a list"],
  ["accessories: {db: mysql}", "5:15: accessories/db: should be a map, not a string"],
  ["traefik: {options: {--x: 1}}", "5:21: traefik/options/--x: should be an option's name without dashes in front"],
  ["release: [a]", "5:1: release: should be a string or a map, not a list"],
  ["primary_role: api", "5:1: primary_role: The primary_role api isn't defined (roles: web)"],
])("%s", async (yaml, line) => {
  expect(await problemsOf(withRequired(`${yaml}\n`))).toEqual([`deploy.yml:${line}`]);
});

test("the distance of two words is how many letters to touch", () => {
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

test("merging two files is a deep merge of maps, the second winning, keys keeping their place", () => {
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
