import { RubyRegexp, Unsupported } from "./ruby-values.ts";

/** Parts of a pattern whose meaning differs, or that JavaScript lacks. */
const NOT_SUPPORTED = /\\[GKRXpPkgcCMzZ]|\(\?(?![:=!]|<[=!A-Za-z_])|\[\[:|&&|[*+?}]\+|\(\?<[A-Za-z_]\w*[^\w>]/;

/** Escapes of Ruby in terms of JavaScript: outside, and inside of a character class. */
const ESCAPES = new Map(
  Object.entries({
    A: ["(?<![\\s\\S])", undefined],
    z: ["(?![\\s\\S])", undefined],
    Z: ["(?=\\n?(?![\\s\\S]))", undefined],
    h: ["[0-9a-fA-F]", "0-9a-fA-F"],
    H: ["[^0-9a-fA-F]", undefined],
    s: ["[ \\t\\n\\v\\f\\r]", " \\t\\n\\v\\f\\r"],
    S: ["[^ \\t\\n\\v\\f\\r]", undefined],
    e: ["\\x1b", "\\x1b"],
    a: ["\\x07", "\\x07"],
  }) as [string, [string, string | undefined]][],
);

const SAME_ESCAPE = /[dDwWbBntrfv0-9xu]/;

/** Translates a regular expression of Ruby. @throws Unsupported for a part that is not the same in JavaScript */
export function regexpOf(
  source: string,
  { ignoreCase = false, dotAll = false }: { ignoreCase?: boolean; dotAll?: boolean } = {},
): RubyRegexp {
  const unsupported = new Unsupported(`this part of a regular expression is not supported`);
  if (NOT_SUPPORTED.test(source.replaceAll(/\\[zZ]/g, ""))) throw unsupported;
  let translated = "";
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const char = source[at]!;
    if (char === "\\") {
      at += 1;
      const part = escapeOf(source[at] ?? "", inClass);
      if (part === undefined) throw unsupported;
      translated += part;
    } else if (inClass) {
      if (char === "[") throw unsupported;
      inClass = char !== "]";
      translated += char;
    } else {
      inClass = char === "[";
      translated += outside(char, dotAll);
    }
  }
  try {
    return new RubyRegexp(new RegExp(translated, `gu${ignoreCase ? "i" : ""}`));
  } catch {
    throw unsupported;
  }
}

function escapeOf(char: string, inClass: boolean): string | undefined {
  const known = ESCAPES.get(char);
  if (known) return known[inClass ? 1 : 0];
  if (SAME_ESCAPE.test(char)) return `\\${char}`;
  if (/[A-Za-z]/.test(char) || char === "") return undefined;
  // With the flag `u`, JavaScript allows a backslash only before these.
  return /[\^$\\.*+?()[\]{}|/]/.test(char) || (char === "-" && inClass) ? `\\${char}` : char;
}

/** In Ruby, `^` and `$` match at every line, and a dot matches everything but a newline. */
function outside(char: string, dotAll: boolean): string {
  if (char === "^") return "(?:(?<![\\s\\S])|(?<=\\n)(?=[\\s\\S]))";
  if (char === "$") return "(?=\\n|(?![\\s\\S]))";
  if (char === ".") return dotAll ? "[\\s\\S]" : "[^\\n]";
  return char;
}

/** A regular expression that matches this text. */
export function literal(text: string): RubyRegexp {
  return new RubyRegexp(new RegExp(text.replaceAll(/[\^$\\.*+?()[\]{}|/]/g, "\\$&"), "gu"));
}

const BLANKS = new Map(Object.entries({ "\n": "n", "\t": "t", "\r": "r", "\f": "f", "\v": "v", " ": " " }));

/** `Regexp.escape` */
export function escapeForRegexp(text: string): string {
  return text.replaceAll(/[[\]{}()|*.\\?+^$#\-\n\t\r\f\v ]/g, (char) => `\\${BLANKS.get(char) ?? char}`);
}
