import { type CST, Lexer, Parser } from "yaml";

/** Lists and maps inside each other. */
export const MOST_LEVELS = 100;

export const TOO_DEEP = `lists and maps stand inside each other more than ${MOST_LEVELS} times here`;

/**
 * Where the text is nested too deeply for the reader of documents, whose recursion knows no limit. Found in the parser's
 * own tokens, without recursion; only texts with as many brackets or dashes are looked through.
 */
export function tooDeep(text: string): number | undefined {
  if (!mayBeDeep(text)) return undefined;
  return tooManyBrackets(text) ?? tooManyLevels(text);
}

/** Ends at once: what the parser makes of ten thousand open brackets takes long. */
function tooManyBrackets(text: string): number | undefined {
  let offset = 0;
  let level = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") level += 1;
    if (token === "]" || token === "}") level -= 1;
    if (level > MOST_LEVELS) return offset;
    offset += MARKS.has(token) ? 0 : token.length;
  }
  return undefined;
}

/** Tokens of the lexer that stand for nothing in the text. */
const MARKS = new Set(["\x02", "\x18", "\x1f"]);

function tooManyLevels(text: string): number | undefined {
  const found: { token: CST.Token; level: number }[] = [];
  for (const token of new Parser().parse(text)) found.push({ token, level: 0 });
  while (found.length > 0) {
    const { token, level } = found.pop()!;
    if (level > MOST_LEVELS) return token.offset;
    // The last comes first from the stack: reversed, the first place in the text is found first.
    for (const below of partsOf(token).toReversed()) found.push({ token: below, level: level + 1 });
  }
  return undefined;
}

/** A level is a bracket, or stands behind more blanks and indicators of its line than the one around it. */
function mayBeDeep(text: string): boolean {
  const brackets = text.split(/[[{]/).length - 1;
  const prefixes = text.matchAll(/^[ \t?:-]+/gm);
  const longest = Array.from(prefixes).reduce((most, [prefix]) => Math.max(most, prefix.length), 0);
  return brackets + 2 * longest + 2 > MOST_LEVELS;
}

function partsOf(token: CST.Token): CST.Token[] {
  if (token.type === "document") return token.value ? [token.value] : [];
  if (!("items" in token)) return [];
  return token.items.flatMap((item) =>
    [item.key, "value" in item ? item.value : undefined].filter((part) => part != null),
  );
}
