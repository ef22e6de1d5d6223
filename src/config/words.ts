import { ExitCode, MrskError } from "../errors.ts";

/**
 * Splits a command line into words like a shell, without expansion: `$NAME`, `&&` and `*` are words like any other. A
 * user who needs a shell writes `sh -c '…'`.
 * @throws MrskError if a quote is left open
 */
export function words(line: string | undefined): string[] {
  const found: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < (line ?? "").length; i++) {
    const char = line![i]!;
    if (quote === "'") {
      if (char === "'") quote = "";
      else word += char;
    } else if (char === "\\") {
      const next = line![++i] ?? "";
      word = (word ?? "") + (quote === '"' && !'"\\$`'.includes(next) ? `\\${next}` : next);
    } else if (quote === '"') {
      if (char === '"') quote = "";
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (quote) throw new MrskError(ExitCode.config, `A quote is left open in: ${line}`);
  if (word !== undefined) found.push(word);
  return found;
}
