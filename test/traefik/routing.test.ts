import { expect, test } from "vitest";
import type { TraefikLabel } from "../../src/traefik/labels.ts";
import { tree } from "../../src/traefik/routing.ts";

const part = (option: string, value = "v"): TraefikLabel => ({
  protocol: "http",
  section: "routers",
  name: "r",
  option,
  value,
});

test("a list has no holes, whatever the first index of its labels", () => {
  expect(tree([part("a[1].b", "one"), part("a[4294967290].b", "two")])).toEqual({ a: [{ b: "one" }, { b: "two" }] });
  expect(tree([part("a[99999999999].b", "far")])).toEqual({ a: [{ b: "far" }] });
});

test("a label that names __proto__ changes no other object", () => {
  const made = tree([part("__proto__.polluted", "yes"), part("a.__proto__.polluted", "yes")]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(JSON.stringify(made)).toBe('{"__proto__":{"polluted":"yes"},"a":{"__proto__":{"polluted":"yes"}}}');
});

test("a label of a hundred thousand parts is ignored", () => {
  expect(tree([part("a.".repeat(100_000)), part("b", "kept")])).toEqual({ b: "kept" });
});
