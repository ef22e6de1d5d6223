/**
 * Control characters (C0, DEL, C1), and invisible characters that change how others are shown (bidi, zero-width, line
 * separators). Newlines and tabs are kept.
 */
const UNPRINTABLE = /[^\P{Cc}\n\t]|[\p{Cf}\u2028\u2029]/gu;

/**
 * Makes text from a server, a registry or a repository safe to print: no character of it moves the cursor, changes the
 * terminal's title or clipboard, or reverses the text. Each such character is shown as an escape of JSON.
 */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(UNPRINTABLE, escaped);
}

function escaped(character: string): string {
  if (character === "\r") return String.raw`\r`;
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((code) => `\\u${code.toString(16).padStart(4, "0")}`)
    .join("");
}

const COLOR = /\u001B\[[\d;]*m/g;

/** Without colours, which compilers and hooks print even if their output is no terminal. */
export function uncolored(text: string): string {
  return text.replace(COLOR, "");
}
