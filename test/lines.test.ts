import fc from "fast-check";
import { expect, test } from "vitest";
import { lineByLine } from "../src/lines.ts";

function printed(pieces: readonly string[]): string[] {
  const lines: string[] = [];
  const whole = lineByLine((line) => void lines.push(line));
  for (const piece of pieces) whole.add(piece);
  whole.end();
  return lines;
}

test("lines are whole, wherever the pieces end", () => {
  expect(printed(["a", "b\nc", "\n\nd\n", "e"])).toEqual(["ab", "c", "", "d", "e"]);
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom("a", "\n", "é", "😀") })), (pieces) => {
      const lines = pieces.join("").split("\n");
      if (lines.at(-1) === "") lines.pop();
      expect(printed(pieces)).toEqual(lines);
    }),
  );
});

test("a line without an end is printed in pieces of a mebibyte", () => {
  const lines: string[] = [];
  const whole = lineByLine((line) => void lines.push(line));
  for (let i = 0; i < 2500; i++) whole.add("x".repeat(1024));
  expect(lines.map((line) => line.length)).toEqual([1_048_576, 1_048_576]);
  whole.add(`${"x".repeat(2_000_000)}\n`);
  expect(lines.map((line) => line.length)).toEqual([1_048_576, 1_048_576, 1_048_576, 1_048_576, 365_696]);
});

test("a line that is as long as a piece is one line, and no piece ends inside a character", () => {
  expect(printed([`${"x".repeat(1_048_576)}\n`, "y"]).map((line) => line.length)).toEqual([1_048_576, 1]);
  expect(printed([`x${"😀".repeat(600_000)}`]).map((line) => line.length)).toEqual([1_048_575, 151_426]);
});
