/**
 * Control characters (C0, DEL, C1), and those that change how others are shown or cannot be seen (bidi, zero-width, line
 * separators). A newline and a tab stay.
 */
const UNPRINTABLE = /[^\P{Cc}\n\t]|[\p{Cf}\u2028\u2029]/gu;

/**
 * Text that may hold what a server, a registry or a repository said, as our own words: nothing of it moves the cursor,
 * changes the terminal's title or clipboard, or turns the text around. Each such character is shown as JSON writes it.
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

/** Without colours, which compilers and hooks print of their own accord. */
export function uncolored(text: string): string {
  return text.replace(COLOR, "");
}
