import { parse } from "dotenv";
import { lineStarts, placeIn } from "../yaml/line-starts.ts";

/** One `NAME=value` of a `.env` file, with the variables and commands in the value not replaced yet. */
export interface DotenvEntry {
  readonly name: string;
  readonly value: string;
  /** Whether the value was in single quotes: nothing in it is replaced. */
  readonly literal: boolean;
  readonly line: number;
  readonly column: number;
}

/**
 * The pattern of a statement in Ruby's dotenv, but with ends that do not cross lines: it finds the same statements, and
 * takes no quadratic time on blank lines.
 */
const BLANK = "[ \\t\\n\\v\\f\\r]";
const STATEMENT = new RegExp(
  [
    `(?<![^\\n])([ \\t\\v\\f]*)(?:export${BLANK}+)?([A-Za-z0-9_.]+)(?:${BLANK}*=${BLANK}*?|:${BLANK}+?)`,
    `(${BLANK}*'(?:\\\\'|[^'])*'|${BLANK}*"(?:\\\\"|[^"])*"|[^#\\r\\n]+)?[ \\t\\v\\f]*(?:#[^\\n]*)?(?![^\\n])`,
  ].join(""),
  "g",
);

/** The entries of a `.env` file, as Ruby's dotenv 2 reads them; a name may come twice. */
export function readDotenv(text: string): DotenvEntry[] {
  const lines = text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n");
  const starts = lineStarts(lines);
  return Array.from(lines.matchAll(STATEMENT), ({ index, 1: indent = "", 2: name = "", 3: written = "" }) => ({
    name,
    ...valueOf(strip(written)),
    ...placeIn(starts, index + indent.length),
  }));
}

/** Ruby's `String#strip`, which removes only the blanks of ASCII. */
function strip(text: string): string {
  const blank = (index: number) => " \t\n\v\f\r".includes(text.charAt(index));
  let start = 0;
  let end = text.length;
  while (start < end && blank(start)) start++;
  while (end > start && blank(end - 1)) end--;
  return text.slice(start, end);
}

function valueOf(written: string): { value: string; literal: boolean } {
  const quote = written.length > 1 && written.at(0) === written.at(-1) ? written[0] : undefined;
  const quoted = quote === "'" || quote === '"';
  const value = quoted ? (parse(`VALUE=${written}`)["VALUE"] ?? "") : written;
  if (quote === "'") return { value, literal: true };
  // Not `\$`: `variablesIn` needs its backslash.
  return { value: value.replaceAll(/\\([^$])/g, "$1"), literal: false };
}

/** A part of a value: text, a variable or a command. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "command"; readonly command: string };

const VARIABLE = /\\?\$(?!\()\{?([A-Za-z0-9_]+)?\}?/g;

/** Splits a value into text and variables, `$NAME` or `${NAME}`; `\$` is a dollar sign. */
function variablesIn(value: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of value.matchAll(VARIABLE)) {
    const [whole, name] = match;
    parts.push({ kind: "text", text: value.slice(end, match.index) });
    if (whole.startsWith("\\")) parts.push({ kind: "text", text: whole.slice(1) });
    else parts.push(name === undefined ? { kind: "text", text: whole } : { kind: "variable", name });
    end = match.index + whole.length;
  }
  parts.push({ kind: "text", text: value.slice(end) });
  return parts.filter((part) => part.kind !== "text" || part.text !== "");
}

/** Splits a value into text, variables and `$(command)`s. The variables in a command are split by `partsOfCommand`. */
export function partsOf({ value, literal }: DotenvEntry): Part[] {
  if (literal) return [{ kind: "text", text: value }];
  const parts: Part[] = [];
  let end = 0;
  let start = value.indexOf("$(");
  while (start !== -1) {
    const close = closingBracket(value, start + 1);
    if (close === -1) break;
    if (value[start - 1] === "\\") {
      parts.push(...variablesIn(value.slice(end, start - 1)), { kind: "text", text: value.slice(start, close + 1) });
    } else {
      parts.push(...variablesIn(value.slice(end, start)));
      parts.push({ kind: "command", command: value.slice(start + 2, close) });
    }
    end = close + 1;
    start = value.indexOf("$(", end);
  }
  return [...parts, ...variablesIn(value.slice(end))];
}

/** The parts of a command: text and variables. */
export function partsOfCommand(command: string): Part[] {
  return variablesIn(command);
}

function closingBracket(text: string, open: number): number {
  let depth = 0;
  for (let index = open; index < text.length; index++) {
    if (text[index] === "(") depth += 1;
    if (text[index] === ")") depth -= 1;
    if (depth === 0) return index;
  }
  return -1;
}
