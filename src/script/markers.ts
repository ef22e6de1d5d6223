/** In bytes. A marker is a letter and two numbers. */
const LONGEST_MARKER = 32;

/** A part of the output of a running script: output of a step, or a marker. */
export type Piece =
  | { readonly kind: "output"; readonly bytes: Buffer }
  /** `step` is its index, or `cleanup`. */
  | { readonly kind: "begin"; readonly step: string }
  | { readonly kind: "end"; readonly step: string; readonly status: number }
  /** The end of the whole script. */
  | { readonly kind: "exit"; readonly status: number };

/**
 * Splits the bytes of one stream into output and markers. Bytes may arrive in any chunks. A marker may begin anywhere in a
 * line, because a step's output need not end with a newline.
 * @returns a function that takes the next bytes; call it without bytes at the end of the stream
 */
export function markerSplitter(nonce: string): (bytes?: Buffer) => Piece[] {
  const start = Buffer.from(`\x1e${nonce} `);
  let held: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const pieces: Piece[] = [];
    let buffer = bytes ? Buffer.concat([held, bytes]) : held;
    held = Buffer.alloc(0);
    for (;;) {
      const at = buffer.indexOf(start);
      if (at < 0) {
        const keep = bytes ? possibleBeginning(buffer, start) : 0;
        output(pieces, buffer.subarray(0, buffer.length - keep));
        held = buffer.subarray(buffer.length - keep);
        return pieces;
      }
      const newline = buffer.indexOf(10, at);
      if (newline < 0 && bytes && buffer.length - at - start.length <= LONGEST_MARKER) {
        output(pieces, buffer.subarray(0, at));
        held = buffer.subarray(at);
        return pieces;
      }
      output(pieces, buffer.subarray(0, at));
      const end = newline < 0 ? buffer.length : newline;
      const words = buffer.subarray(at + start.length, end);
      const marker = words.length <= LONGEST_MARKER ? parse(words.toString("latin1")) : undefined;
      if (marker) pieces.push(marker);
      // Not a marker of the loader, so it is output of the host.
      else output(pieces, buffer.subarray(at, end));
      buffer = buffer.subarray(Math.min(buffer.length, marker ? end + 1 : end));
    }
  };
}

function output(pieces: Piece[], bytes: Buffer): void {
  if (bytes.length > 0) pieces.push({ kind: "output", bytes });
}

function parse(text: string): Piece | undefined {
  const [, kind, first = "", status] = /^([bex]) (\d{1,6}|cleanup)(?: (\d{1,3}))?\r?$/.exec(text) ?? [];
  if (kind === "b" && status === undefined) return { kind: "begin", step: first };
  if (kind === "e" && status !== undefined) return { kind: "end", step: first, status: Number(status) };
  return kind === "x" && /^\d{1,3}$/.test(first) ? { kind: "exit", status: Number(first) } : undefined;
}

/** Length of the longest end of `buffer` that could be the beginning of `start`. */
function possibleBeginning(buffer: Buffer, start: Buffer): number {
  for (let length = Math.min(start.length - 1, buffer.length); length > 0; length--) {
    if (buffer.subarray(buffer.length - length).equals(start.subarray(0, length))) return length;
  }
  return 0;
}
