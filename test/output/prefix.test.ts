import { expect, test } from "vitest";
import { linePrefix } from "../../src/output/prefix.ts";

test("a prefix without colour is the name alone", () => {
  expect(linePrefix(false)("one")).toBe("one | ");
});

test("each name has a colour of its own, always the same", () => {
  const prefix = linePrefix(true);
  const [one, two] = [prefix("one"), prefix("two")];
  expect([one, two]).toEqual(["\x1b[36mone |\x1b[39m ", "\x1b[33mtwo |\x1b[39m "]);
  expect(prefix("one")).toBe(one);
});
