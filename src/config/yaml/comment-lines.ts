import { Lexer } from "yaml";

/** Tokens of the lexer that stand for no text: the begin of a document, of a scalar, and the end of a bracket. */
const MARKS = new Set(["\u0002", "\u001f", "\u0018"]);
const SCALAR_FOLLOWS = "\u001f";

/**
 * Tells whether an offset is in a line that has only a comment. `#` in a block of text (`|`) begins none. The YAML may be
 * that of a template with its tags.
 */
export function commentLines(yaml: string): (offset: number) => boolean {
  const comments: { readonly from: number; readonly to: number }[] = [];
  let from = 0;
  let before = "";
  for (const token of new Lexer().lex(yaml)) {
    if (!MARKS.has(token)) {
      const to = from + token.length;
      if (token.startsWith("#") && before !== SCALAR_FOLLOWS && isBlankBefore(yaml, from)) comments.push({ from, to });
      from = to;
    }
    before = token;
  }
  return (offset) => comments.some((comment) => comment.from <= offset && offset < comment.to);
}

function isBlankBefore(text: string, offset: number): boolean {
  return /^[ \t]*$/.test(text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset));
}
