/** Turns offsets of the parser, which count bytes, into offsets of the text. */
export function charactersOf(source: string): (byteOffset: number) => number {
  const bytes = Buffer.byteLength(source);
  if (bytes === source.length) return (offset) => offset;
  const places = new Uint32Array(bytes + 1);
  let at = 0;
  let character = 0;
  for (const char of source) {
    const length = Buffer.byteLength(char);
    places.fill(character, at, at + length);
    at += length;
    character += char.length;
  }
  places[bytes] = character;
  return (offset) => places[Math.min(offset, bytes)]!;
}
