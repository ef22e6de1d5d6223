/** Shorter values are not masked: they would mask half of every text. */
const SHORTEST = 4;

/** Longer values are contents of files, which programs print unencoded if at all. */
const LONGEST_ENCODED = 262_144;

/**
 * How programs write a value: unchanged, line by line, quoted for a shell, in JSON or YAML, in a URL, in base64. `Mask`
 * itself ignores the line breaks and the indentation that programs add.
 */
export function shapesOf(value: string): string[] {
  const whole = [...new Set([value, value.trim(), value.replaceAll("\r\n", "\n")])];
  const lines = value.split(/\r\n|\r|\n/);
  const parts = lines.length === 1 ? [] : lines.flatMap((line) => [line, line.trim()]).filter(isNoFrame);
  const plain = [...whole, ...parts];
  if (value.length > LONGEST_ENCODED) return longEnough(plain);
  return longEnough([...plain.flatMap(quoted), ...whole.flatMap(inUrls), ...whole.flatMap(inBase64)]);
}

function longEnough(shapes: readonly string[]): string[] {
  return [...new Set(shapes)].filter((shape) => shape.trim().length >= SHORTEST);
}

/** Whether a line has a letter or digit. A line of dashes reveals nothing, and occurs in many texts. */
function isNoFrame(line: string): boolean {
  return /[\p{L}\p{N}]/u.test(line);
}

function quoted(value: string): string[] {
  if (/^[\w.:@%+=-]*$/.test(value)) return [value];
  return [value, ...inJson(value), ...inShell(value), value.replaceAll("'", "''"), value.replaceAll('"', '""')];
}

/** Go, and so `docker inspect`, escapes `<`, `>` and `&`. Other programs escape non-ASCII characters, or slashes as `\/`. */
function inJson(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const go = json.replaceAll(/[<>&\u2028\u2029]/g, escaped);
  const olderGo = go.replaceAll(/\\[bf]/g, (letter) => (letter === "\\b" ? "\\u0008" : "\\u000c"));
  const ascii = (text: string) => text.replaceAll(/[^\0-~]/g, escaped);
  return [json, go, olderGo, ascii(json), ascii(go), json.replaceAll("/", "\\/")];
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** As `printf %q`, Ruby's `shellescape`, double quotes, and `sh -x` (single quotes) quote. */
function inShell(value: string): string[] {
  return [
    value.replaceAll(/[^\w.,:@%+=/\u0080-\uffff-]/g, String.raw`\$&`),
    value.replaceAll(/[\s'"\\|&;()<>!{}*[\]?^$`,]|^[#~]/g, String.raw`\$&`),
    value.replaceAll(/["\\$`]/g, String.raw`\$&`),
    value.replaceAll("'", String.raw`'\''`),
    value.replaceAll("'", `'"'"'`),
    value.replaceAll(/[\0-\x1f\x7f'\\]/g, ansi),
    value.replaceAll(/[\0-\x1f\x7f'\\]|[^\0-\x7f]+/g, ansi),
  ];
}

const ANSI = new Map(Object.entries({ "\x07": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r" }));

/** As in `$'…'`. */
function ansi(text: string): string {
  if (text === "'" || text === "\\") return `\\${text}`;
  if (text === "\x1b") return String.raw`\E`;
  if (ANSI.has(text)) return `\\${ANSI.get(text)!}`;
  return Array.from(Buffer.from(text), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

/** The characters that encoders leave unencoded, in addition to letters, digits, `-`, `.` and `_`. */
const UNTOUCHED = ["!'()*~", "~", "*", "/~", "$&+=:@~", ";,/?:@&=+$#!'()*~"];

function inUrls(value: string): string[] {
  if (/^[\w.-]*$/.test(value)) return [];
  return UNTOUCHED.flatMap((untouched) => {
    const upper = percent(value, untouched);
    const both = [upper, upper.replaceAll(/%../g, (code) => code.toLowerCase())];
    return both.flatMap((encoded) => [encoded, encoded.replaceAll("%20", "+")]);
  });
}

function percent(value: string, untouched: string): string {
  return value.replaceAll(/[^\w.-]+/g, (run) =>
    Array.from(run, (character) => (untouched.includes(character) ? character : hexOf(character))).join(""),
  );
}

function hexOf(character: string): string {
  const bytes = Buffer.from(character);
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

/** The encoded value, and its part that does not depend on the bytes before and after it, for each of three alignments. */
function inBase64(value: string): string[] {
  const bytes = Buffer.from(value);
  const inside = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const standard = [bytes.toString("base64"), ...inside];
  return [...standard, ...standard.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
}
