import { words } from "../words.ts";

/** The text as one word for a shell, as Ruby's `String#shellescape` writes it. */
export function shellEscape(text: string): string {
  if (text === "") return "''";
  return text.replaceAll(/[^A-Za-z0-9_\-.,:+/@\n]/gu, String.raw`\$&`).replaceAll("\n", "'\n'");
}

/** The words of a command line, or undefined if a quote is left open. */
export function shellWords(line: string): string[] | undefined {
  try {
    return words(line);
  } catch {
    return undefined;
  }
}
