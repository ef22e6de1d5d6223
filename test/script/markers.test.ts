import fc from "fast-check";
import { expect, test } from "vitest";
import { markerSplitter, type Piece } from "../../src/script/markers.ts";

const NONCE = "4f1c9a4f1c9a4f1c9a4f1c9a";

function joined(pieces: readonly Piece[]): string[] {
  const out: string[] = [];
  for (const piece of pieces) {
    const text = piece.kind === "output" ? `o:${piece.bytes.toString("latin1")}` : JSON.stringify(piece);
    if (piece.kind === "output" && out.at(-1)?.startsWith("o:")) out[out.length - 1] += text.slice(2);
    else out.push(text);
  }
  return out;
}

test("a stream gives the same pieces in any chunks", () => {
  const noise = fc.stringMatching(/^[a-c\n\u001e 4f]*$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(noise, fc.nat(20), fc.nat(255))), fc.array(fc.nat(400)), (parts, cuts) => {
      const text = parts
        .map(([before, step, status]) => `${before}\x1e${NONCE} b ${step}\nx\x1e${NONCE} e ${step} ${status}\n`)
        .join("");
      const bytes = Buffer.from(`${text}tail`, "latin1");
      const whole = markerSplitter(NONCE);
      const expected = joined([...whole(bytes), ...whole()]);
      const split = markerSplitter(NONCE);
      const pieces: Piece[] = [];
      let from = 0;
      for (const cut of [...new Set(cuts)].toSorted((a, b) => a - b).filter((at) => at < bytes.length)) {
        pieces.push(...split(bytes.subarray(from, cut)));
        from = cut;
      }
      pieces.push(...split(bytes.subarray(from)), ...split());
      expect(joined(pieces)).toEqual(expected);
    }),
  );
});

test("a marker with another nonce is output", () => {
  const split = markerSplitter(NONCE);
  expect(joined([...split(Buffer.from("\x1edeadbeef b 0\n")), ...split()])).toEqual(["o:\x1edeadbeef b 0\n"]);
});

test.each([
  "b",
  "b x",
  "b -1",
  "b 1e9",
  "b 99999999999",
  "b __proto__",
  "e 0",
  "e 0 NaN",
  "e 0 99999",
  "x",
  "x cleanup",
  "x 1.5",
  "z 0",
  `b ${"0".repeat(100_000)}`,
])("a marker that the loader does not write is output: %.40s", (words) => {
  const split = markerSplitter(NONCE);
  const text = `\x1e${NONCE} ${words}\n`;
  expect(joined([...split(Buffer.from(text)), ...split()])).toEqual([`o:${text}`]);
});

test("a marker without an end is not held back", () => {
  const split = markerSplitter(NONCE);
  const pieces = [...split(Buffer.from(`\x1e${NONCE} b `)), ...split(Buffer.alloc(100_000, "0"))];
  expect(joined(pieces)).toEqual([`o:\x1e${NONCE} b ${"0".repeat(100_000)}`]);
});
