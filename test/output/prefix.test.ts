import { expect, test } from "vitest";
import { linePrefix } from "../../src/output/prefix.ts";

test("without colour a prefix is the name alone", () => {
  expect(linePrefix(false)("one")).toBe("one | ");
});

test("with colour each name has its own, always the same", () => {
  const prefix = linePrefix(true);
  const [one, two] = [prefix("one"), prefix("two")];
  expect([one, two]).toEqual(["\x1b[36mone |\x1b[39m ", "\x1b[33mtwo |\x1b[39m "]);
  expect(prefix("one")).toBe(one);
});
