import { ConfigError } from "../../errors.ts";
import { lineStarts, placeIn } from "../yaml/line-starts.ts";

/** One `NAME=value` of a secrets file, with nothing in the value replaced yet. */
export interface Statement {
  readonly name: string;
  /** The value without its quotes. */
  readonly text: string;
  readonly quote: "'" | '"' | undefined;
  /** Index among the statements of the file: a value sees only the names above it. */
  readonly index: number;
  /** `file:line:column`. */
  readonly place: string;
}

/**
 * The pattern of a statement in Ruby's dotenv 3, with ends that do not cross lines: it finds the same statements, and takes
 * no quadratic time on blank lines. The separator is optional: a name alone has an empty value.
 */
const BLANK = "[ \\t\\n\\v\\f\\r]";
const STATEMENT = new RegExp(
  [
    `(?<![^\\n])([ \\t\\v\\f]*)(export${BLANK}+)?([A-Za-z0-9_.]+)`,
    `(?:(?:${BLANK}*=${BLANK}*?|:${BLANK}+?)`,
    `(${BLANK}*'(?:\\\\'|[^'])*'|${BLANK}*"(?:\\\\"|[^"])*"|[^#\\n]+)?)?`,
    `[ \\t\\v\\f]*(?:#[^\\n]*)?(?![^\\n])`,
  ].join(""),
  "g",
);

/**
 * The statements of a secrets file, as Ruby's dotenv 3 reads them. A name may occur twice; lines that are no statement are
 * skipped.
 * @param file its name in messages
 * @throws ConfigError for `export NAME` without a value, unless the name has one above
 */
export function readStatements(text: string, file: string): Statement[] {
  const lines = text.replaceAll(/\r\n?/g, "\n");
  const starts = lineStarts(lines);
  const known = new Set<string>();
  const statements: Statement[] = [];
  for (const { index, 1: indent = "", 2: exported, 3: name = "", 4: written } of lines.matchAll(STATEMENT)) {
    const { line, column } = placeIn(starts, index + indent.length);
    const place = `${file}:${line}:${column}`;
    if (exported !== undefined && written === undefined) {
      if (known.has(name)) continue;
      throw new ConfigError([`${place}: export ${name} has no value: write ${name}=value, or ${name}=$${name}`]);
    }
    known.add(name);
    statements.push({ name, ...unquoted(strip(written ?? "")), index: statements.length, place });
  }
  return statements;
}

function unquoted(written: string): Pick<Statement, "text" | "quote"> {
  const [first] = written;
  if (written.length < 2 || first !== written.at(-1) || (first !== "'" && first !== '"')) {
    return { text: written, quote: undefined };
  }
  return { text: written.slice(1, -1), quote: first };
}

/** Ruby's `String#strip`, which removes only the blanks of ASCII. */
function strip(text: string): string {
  return text.replace(/^[ \t\n\v\f\r]+/, "").replace(/(?<![ \t\n\v\f\r])[ \t\n\v\f\r]+$/, "");
}

/** `\c` is `c`, except for `\$`. In double quotes `\n` and `\r` remain as they are, unless `legacy` makes them line breaks. */
export function unescaped({ text, quote }: Statement, legacy: boolean): string {
  if (quote !== '"') return withoutBackslashes(text);
  const breaks = legacy
    ? text.replaceAll(String.raw`\n`, "\n").replaceAll(String.raw`\r`, "\r")
    : text.replaceAll(/\\[nr]/g, (pair) => `\\${pair}`);
  return withoutBackslashes(breaks);
}

function withoutBackslashes(text: string): string {
  return text.replaceAll(/\\([^$])/g, "$1");
}

const VARIABLE = /(\\)?\$(?!\()\{?([A-Za-z0-9_]+)?\}?/g;

/** The names that the text refers to, as `$NAME` or `${NAME}`. */
export function variablesIn(text: string): string[] {
  return Array.from(text.matchAll(VARIABLE)).flatMap(([, escape, name]) =>
    escape === undefined && name !== undefined ? [name] : [],
  );
}

/** Replaces `$NAME` and `${NAME}`; `\$` becomes `$`. The replaced text is not read again. */
export async function withVariables(text: string, valueOf: (name: string) => Promise<string>): Promise<string> {
  const parts: string[] = [];
  let end = 0;
  for (const { 0: whole, 1: escape, 2: name, index } of text.matchAll(VARIABLE)) {
    parts.push(text.slice(end, index));
    if (escape !== undefined) parts.push(whole.slice(1));
    else parts.push(name === undefined ? whole : await valueOf(name));
    end = index + whole.length;
  }
  return parts.join("") + text.slice(end);
}

/** Replaces each `$(command)` by its output, in their order; `\$(command)` becomes `$(command)`. */
export async function withCommands(text: string, outputOf: (command: string) => Promise<string>): Promise<string> {
  const parts: string[] = [];
  const pairs = bracketPairs(text);
  let end = 0;
  for (let start = text.indexOf("$("); start !== -1; ) {
    const close = pairs.get(start + 1);
    if (close === undefined) {
      start = text.indexOf("$(", start + 1);
      continue;
    }
    const escaped = start > end && text[start - 1] === "\\";
    parts.push(text.slice(end, escaped ? start - 1 : start));
    parts.push(escaped ? text.slice(start, close + 1) : await outputOf(text.slice(start + 2, close)));
    end = close + 1;
    start = text.indexOf("$(", end);
  }
  return parts.join("") + text.slice(end);
}

/**
 * The index of the closing bracket for that of each opening one. Brackets nest; `\(` and `\)` do not count. As in Kamal, a
 * pair with nothing in it is no pair, and neither is one around it.
 */
function bracketPairs(text: string): ReadonlyMap<number, number> {
  const pairs = new Map<number, number>();
  const open: { readonly index: number; valid: boolean }[] = [];
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === "\\") index++;
    else if (char === "(") open.push({ index, valid: true });
    else if (char === ")") {
      const last = open.pop();
      if (last === undefined) continue;
      const valid = last.valid && last.index < index - 1;
      const outer = open.at(-1);
      if (valid) pairs.set(last.index, index);
      else if (outer) outer.valid = false;
    }
  }
  return pairs;
}
