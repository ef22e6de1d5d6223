import fc from "fast-check";
import { expect, test } from "vitest";
import { KeptOutput } from "../src/kept-output.ts";

function kept(limit: number, ...pieces: readonly string[]): KeptOutput {
  const output = new KeptOutput(limit);
  for (const piece of pieces) output.add(Buffer.from(piece));
  return output;
}

test("output within the limit is kept unchanged", () => {
  expect(kept(10, "12345", "67890").text()).toBe("1234567890");
  expect(kept(10).text()).toBe("");
  expect(kept(10, "12345", "67890").cut).toBe(false);
});

test("of longer output the beginning and the end are kept, cut at line ends, with a line about the omitted amount", () => {
  const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
  const output = kept(64, ...lines);
  expect(output.cut).toBe(true);
  expect(output.text()).toBe(
    "line 0\nline 1\nline 2\nline 3\n[… 9 KiB of output omitted …]\nline 997\nline 998\nline 999\n",
  );
});

test("without line ends, the beginning and the end are kept to the byte", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary-ascii" }).map((text) => text.replaceAll("\n", "."))), (pieces) => {
      const whole = pieces.join("");
      const text = kept(20, ...pieces).text();
      const cut = `${whole.slice(0, 10)}\n[… 1 KiB of output omitted …]\n${whole.slice(-10)}`;
      expect(text).toBe(whole.length <= 20 ? whole : cut);
    }),
  );
});

test("600 MB of output take no more memory than the kept part", () => {
  const output = new KeptOutput(1024 * 1024);
  const piece = Buffer.alloc(65_536, "x");
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 9600; i++) output.add(piece);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
  expect(output.text()).toContain("[… 599 MiB of output omitted …]");
});
