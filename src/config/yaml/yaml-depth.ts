import { type CST, Lexer, Parser } from "yaml";

/** Levels of nested lists and maps. */
export const MOST_LEVELS = 100;

export const TOO_DEEP = `lists and maps are nested more than ${MOST_LEVELS} levels deep here`;

/**
 * The offset at which the text is nested too deeply; undefined if it is not. The YAML library's recursion has no limit, so
 * this walks the tokens of its parser without recursion, and only if the text has enough brackets or dashes.
 */
export function tooDeep(text: string): number | undefined {
  if (!mayBeDeep(text)) return undefined;
  return tooManyBrackets(text) ?? tooManyLevels(text);
}

/** Stops at the first bracket that is too deep: the parser would take long for ten thousand open brackets. */
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

/** Tokens of the lexer that have no text. */
const MARKS = new Set(["\x02", "\x18", "\x1f"]);

function tooManyLevels(text: string): number | undefined {
  const found: { token: CST.Token; level: number }[] = [];
  for (const token of new Parser().parse(text)) found.push({ token, level: 0 });
  while (found.length > 0) {
    const { token, level } = found.pop()!;
    if (level > MOST_LEVELS) return token.offset;
    // A stack returns its last item first: reversed, the first position in the text is found first.
    for (const below of partsOf(token).toReversed()) found.push({ token: below, level: level + 1 });
  }
  return undefined;
}

/** Every level needs a bracket, or more indentation and indicators in a line than the level around it. */
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
