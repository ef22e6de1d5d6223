import { checkDigits, checkSize } from "./budget.ts";
import { format } from "./format.ts";
import { blockMethods, methods } from "./method-table.ts";
import { literal } from "./regexp.ts";
import {
  compare,
  isList,
  RubyHash,
  RubyMatch,
  type RubyProc,
  RubyRange,
  RubyRegexp,
  RubySymbol,
  type RubyValue,
  toText,
} from "./ruby-values.ts";

/** Blanks that Ruby's `strip` removes: those of ASCII, and NUL. */
function isBlank(text: string, index: number): boolean {
  return "\0 \t\n\v\f\r".includes(text.charAt(index));
}

function lstrip(text: string): string {
  let from = 0;
  while (from < text.length && isBlank(text, from)) from++;
  return text.slice(from);
}

function rstrip(text: string): string {
  let to = text.length;
  while (to > 0 && isBlank(text, to - 1)) to--;
  return text.slice(0, to);
}

/** Start and length of what an index or a range selects; undefined outside. */
export function slice(
  size: number,
  [index, count]: readonly RubyValue[],
): { readonly from: number; readonly length: number } | undefined {
  const position = (value: RubyValue | undefined, without: number): number | undefined => {
    if (value === null || value === undefined) return without;
    if (typeof value !== "bigint") return undefined;
    return Number(value) < 0 ? size + Number(value) : Number(value);
  };
  if (index instanceof RubyRange) {
    const from = position(index.from, 0);
    const to = position(index.to, size - 1);
    if (from === undefined || to === undefined || from < 0 || from > size) return undefined;
    const length = to - from + (index.exclusive && index.to !== null ? 0 : 1);
    return { from, length: Math.max(0, length) };
  }
  const from = position(index, 0);
  if (from === undefined || from < 0 || from > size || typeof count !== "bigint" || count < 0n) return undefined;
  return { from, length: Number(count) };
}

function at(on: string, args: readonly RubyValue[]): RubyValue | undefined {
  const [index, more] = args;
  if (index instanceof RubyRegexp) {
    const match = matchOf(on, index);
    return match === null ? null : match.group(more ?? 0n);
  }
  if (typeof index === "string") return more === undefined ? (on.includes(index) ? index : null) : undefined;
  const chars = Array.from(on);
  if (typeof index === "bigint" && more === undefined) return chars.at(Number(index)) ?? null;
  if (!(index instanceof RubyRange) && typeof index !== "bigint") return undefined;
  const part = slice(chars.length, args);
  return part ? chars.slice(part.from, part.from + part.length).join("") : null;
}

function matchOf(on: string, { pattern }: RubyRegexp): RubyMatch | null {
  pattern.lastIndex = 0;
  const match = pattern.exec(on);
  return match && new RubyMatch(match);
}

/** A text in `gsub`, `split` and so on stands for itself. */
function patternOf(value: RubyValue | undefined): RubyRegexp | undefined {
  if (typeof value === "string") return literal(value);
  return value instanceof RubyRegexp ? value : undefined;
}

function matchesOf(on: string, { pattern }: RubyRegexp, all: boolean): RegExpExecArray[] {
  if (all) return [...on.matchAll(pattern)];
  pattern.lastIndex = 0;
  const match = pattern.exec(on);
  return match ? [match] : [];
}

/** `sub` and `gsub` */
function replaced(all: boolean) {
  return (on: string, [from, to]: readonly RubyValue[]): string | undefined => {
    const pattern = patternOf(from);
    if (!pattern || (typeof to !== "string" && !(to instanceof RubyHash))) return undefined;
    const matches = matchesOf(on, pattern, all);
    const texts = matches.map((match) =>
      to instanceof RubyHash ? toText(to.get(match[0]) ?? null) : expand(to, match),
    );
    return joinAround(on, matches, texts);
  };
}

function replacedByBlock(all: boolean) {
  return async (on: string, block: RubyProc, [from]: readonly RubyValue[]): Promise<string | undefined> => {
    const pattern = patternOf(from);
    if (!pattern) return undefined;
    const matches = matchesOf(on, pattern, all);
    const texts: string[] = [];
    for (const [text] of matches) texts.push(toText(await block.call([text])));
    return joinAround(on, matches, texts);
  };
}

/** `\1`, `\0`, `\&`, `\k<name>` and `\\` in a replacement. */
function expand(replacement: string, match: RegExpExecArray): string {
  return replacement.replaceAll(
    /\\(?:(\d)|(&)|k<(\w+)>|(\\))/g,
    (_whole, digit?: string, whole?: string, name?: string) => {
      if (digit !== undefined) return match[Number(digit)] ?? "";
      if (whole !== undefined) return match[0];
      return name === undefined ? "\\" : (match.groups?.[name] ?? "");
    },
  );
}

function joinAround(on: string, matches: readonly RegExpExecArray[], texts: readonly string[]): string {
  checkSize(texts.reduce((size, text) => size + text.length, on.length));
  let result = "";
  let end = 0;
  matches.forEach((match, index) => {
    result += on.slice(end, match.index) + texts[index]!;
    end = match.index + match[0].length;
  });
  return result + on.slice(end);
}

function scan(on: string, [from]: readonly RubyValue[]): RubyValue | undefined {
  const pattern = patternOf(from);
  if (!pattern) return undefined;
  return matchesOf(on, pattern, true).map(([whole, ...groups]) =>
    groups.length === 0 ? whole : groups.map((group) => group ?? null),
  );
}

function repeated(on: string, [times]: readonly RubyValue[]): string | undefined {
  if (typeof times !== "bigint" || times < 0n) return undefined;
  const count = Number(times);
  // Repeating an empty text takes time as well.
  checkSize(Math.max(on.length, 1) * count);
  return on.repeat(count);
}

function chomp(on: string, [end = "\n"]: readonly RubyValue[]): string | undefined {
  if (end === "\n") return on.replace(/(?:\r\n|\n|\r)$/, "");
  if (typeof end !== "string" || end === "") return undefined;
  return on.endsWith(end) ? on.slice(0, on.length - end.length) : on;
}

function split(on: string, [separator = " ", limit]: readonly RubyValue[]): string[] | undefined {
  if (limit !== undefined) return splitInto(on, separator, limit);
  if (separator !== null && typeof separator !== "string" && !(separator instanceof RubyRegexp)) return undefined;
  const parts = partsOf(on, separator ?? " ");
  while (parts.at(-1) === "") parts.pop();
  return parts;
}

/** At most `limit` parts; a negative limit keeps empty parts at the end. */
function splitInto(on: string, separator: RubyValue, limit: RubyValue): string[] | undefined {
  if (typeof separator !== "string" || separator === " " || separator === "" || typeof limit !== "bigint")
    return undefined;
  if (on === "") return [];
  const parts = on.split(separator);
  if (limit < 0n) return parts;
  if (limit === 0n) return split(on, [separator]);
  const most = Number(limit);
  return parts.length <= most ? parts : [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

function partsOf(on: string, separator: string | RubyRegexp): string[] {
  if (separator === " ") return lstrip(rstrip(on)).split(/[\0 \t\n\v\f\r]+/);
  if (typeof separator === "string") return separator === "" ? Array.from(on) : on.split(separator);
  // Groups are in the result, also in Ruby; those without a match are not.
  return on.split(separator.pattern).filter((part): part is string => part !== undefined);
}

/** The characters that `tr` and `delete` name: `a-z`, `^a-z`. */
function characterSet(set: string): { readonly chars: string[]; readonly negated: boolean } | undefined {
  const all = Array.from(set);
  const negated = all.length > 1 && all[0] === "^";
  const chars: string[] = [];
  for (let index = negated ? 1 : 0; index < all.length; index++) {
    if (all[index] === "\\" && index + 1 < all.length) {
      chars.push(all[++index]!);
    } else if (all[index + 1] === "-" && index + 2 < all.length) {
      const [from, to] = [all[index]!.codePointAt(0)!, all[index + 2]!.codePointAt(0)!];
      if (from > to || to - from > 0xffff) return undefined;
      for (let code = from; code <= to; code++) chars.push(String.fromCodePoint(code));
      index += 2;
    } else {
      chars.push(all[index]!);
    }
  }
  return { chars, negated };
}

function tr(on: string, [from, to]: readonly RubyValue[]): string | undefined {
  if (typeof from !== "string" || typeof to !== "string") return undefined;
  const source = characterSet(from);
  const target = characterSet(to.startsWith("^") ? `\\${to}` : to);
  if (!source || !target) return undefined;
  const last = target.chars.at(-1) ?? "";
  const places = new Map(source.chars.map((char, index) => [char, index]));
  const replacement = (char: string): string => {
    const index = places.get(char);
    if (source.negated) return index === undefined ? last : char;
    return index === undefined ? char : (target.chars[index] ?? last);
  };
  return Array.from(on, replacement).join("");
}

/** Whether a character is in the set of `delete`, `count` or `squeeze`. */
function inSet(set: RubyValue | undefined): ((char: string) => boolean) | undefined {
  const read = typeof set === "string" ? characterSet(set) : undefined;
  const chars = new Set(read?.chars);
  return read && ((char) => chars.has(char) !== read.negated);
}

function justified(build: (text: string, fill: (length: number) => string, missing: number) => string) {
  return (on: string, [width, pad = " "]: readonly RubyValue[]): string | undefined => {
    if (typeof width !== "bigint" || typeof pad !== "string" || pad === "") return undefined;
    checkSize(Number(width));
    const missing = Number(width) - Array.from(on).length;
    return missing <= 0 ? on : build(on, (length) => pad.repeat(length).slice(0, length), missing);
  };
}

function toInteger(on: string, [base = 10n]: readonly RubyValue[]): bigint | undefined {
  if (base !== 10n) return base === 16n ? hexadecimal(on) : undefined;
  const digits = /^[ \t\n\v\f\r]*([-+]?\d+(?:_\d+)*)/.exec(on)?.[1] ?? "0";
  checkDigits(digits.length);
  return BigInt(digits.replaceAll(/[+_]/g, ""));
}

function hexadecimal(on: string): bigint {
  const [, sign, digits = "0"] = /^[ \t\n\v\f\r]*([-+]?)(?:0[xX])?([0-9a-fA-F]+)/.exec(on) ?? [];
  checkDigits(digits.length);
  return sign === "-" ? -BigInt(`0x${digits}`) : BigInt(`0x${digits}`);
}

function toFloat(on: string): number {
  const digits = /^[ \t\n\v\f\r]*([-+]?\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:[eE][-+]?\d+)?)/.exec(on)?.[1] ?? "0";
  return Number(digits.replaceAll("_", ""));
}

/** `any?` of several prefixes or suffixes. */
function anyText(matches: (on: string, text: string) => boolean) {
  return (on: string, texts: readonly RubyValue[]): boolean | undefined =>
    texts.every((text) => typeof text === "string") ? texts.some((text) => matches(on, text)) : undefined;
}

function parted(on: string, index: number, size: number): string[] {
  return [on.slice(0, index), on.slice(index, index + size), on.slice(index + size)];
}

function lines(on: string, [options]: readonly RubyValue[]): string[] | undefined {
  if (options !== undefined && !(options instanceof RubyHash)) return undefined;
  const chomped = options?.get(new RubySymbol("chomp")) === true;
  const all = on.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return chomped ? all.map((line) => line.replace(/\r?\n$/, "")) : all;
}

function capitalize(on: string): string {
  const [first = "", ...more] = Array.from(on.toLowerCase());
  return first.toUpperCase() + more.join("");
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

/** `parameterize` of ActiveSupport. */
function parameterize(on: string): string | undefined {
  if (!isAscii(on)) return undefined;
  return on
    .replaceAll(/[^a-zA-Z0-9\-_]+/g, "-")
    .replaceAll(/-{2,}/g, "-")
    .replaceAll(/^-|-$/g, "")
    .toLowerCase();
}

/** `underscore` of ActiveSupport. */
function underscore(on: string): string {
  return on
    .replaceAll("::", "/")
    .replaceAll(/([A-Z]+)(?=[A-Z][a-z])|([a-z\d])(?=[A-Z])/g, "$1$2_")
    .replaceAll("-", "_")
    .toLowerCase();
}

/** `Shellwords.escape` */
export function shellEscape(text: string): string {
  if (text === "") return "''";
  return text.replaceAll(/[^A-Za-z0-9_\-.,:+/@\n]/g, "\\$&").replaceAll("\n", "'\n'");
}

function ordered(holds: (order: number) => boolean) {
  return (on: string, [other]: readonly RubyValue[]): boolean | undefined =>
    typeof other === "string" ? holds(compare(on, other)!) : undefined;
}

export const STRING = methods<string>({
  none: {
    strip: (on) => lstrip(rstrip(on)),
    lstrip,
    rstrip,
    upcase: (on) => on.toUpperCase(),
    downcase: (on) => on.toLowerCase(),
    capitalize,
    swapcase: (on) =>
      Array.from(on, (char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase())).join(""),
    "empty?": (on) => on === "",
    length: (on) => BigInt(Array.from(on).length),
    size: (on) => BigInt(Array.from(on).length),
    bytesize: (on) => BigInt(Buffer.byteLength(on)),
    reverse: (on) => Array.from(on).toReversed().join(""),
    chars: (on) => Array.from(on),
    chop: (on) => (on.endsWith("\r\n") ? on.slice(0, -2) : Array.from(on).slice(0, -1).join("")),
    to_f: toFloat,
    to_str: (on) => on,
    to_sym: (on) => new RubySymbol(on),
    intern: (on) => new RubySymbol(on),
    hex: hexadecimal,
    ord: (on) => (on === "" ? undefined : BigInt(on.codePointAt(0)!)),
    squish: (on) => on.trim().replaceAll(/\s+/g, " "),
    parameterize,
    underscore,
    dasherize: (on) => on.replaceAll("_", "-"),
    shellescape: shellEscape,
  },
  one: {
    "+": (on, [other]) => (typeof other === "string" ? on + other : undefined),
    "*": repeated,
    "%": (on, [args]) => format(on, isList(args) ? args : [args!]),
    "=~": (on, [pattern]) => {
      const match = pattern instanceof RubyRegexp ? matchOf(on, pattern) : undefined;
      return match && BigInt(Array.from(on.slice(0, match.match.index)).length);
    },
    "match?": (on, [pattern]) => (patternOf(pattern) ? matchOf(on, patternOf(pattern)!) !== null : undefined),
    match: (on, [pattern]) => (pattern instanceof RubyRegexp ? matchOf(on, pattern) : undefined),
    "include?": (on, [text]) => (typeof text === "string" ? on.includes(text) : undefined),
    "<=>": (on, [other]) => (typeof other === "string" ? BigInt(Math.sign(compare(on, other)!)) : null),
    "<": ordered((order) => order < 0),
    "<=": ordered((order) => order <= 0),
    ">": ordered((order) => order > 0),
    ">=": ordered((order) => order >= 0),
    "casecmp?": (on, [other]) => (typeof other === "string" ? on.toLowerCase() === other.toLowerCase() : undefined),
    delete_prefix: (on, [text]) =>
      typeof text === "string" ? (on.startsWith(text) ? on.slice(text.length) : on) : undefined,
    delete_suffix: (on, [text]) =>
      typeof text === "string" ? (on.endsWith(text) ? on.slice(0, on.length - text.length) : on) : undefined,
    delete: (on, [set]) => {
      const has = inSet(set);
      return (
        has &&
        Array.from(on)
          .filter((char) => !has(char))
          .join("")
      );
    },
    count: (on, [set]) => {
      const has = inSet(set);
      return has && BigInt(Array.from(on).filter(has).length);
    },
    scan,
    index: (on, [text]) => (typeof text === "string" && isAscii(on) ? indexOrNil(on.indexOf(text)) : undefined),
    partition: (on, [text]) => {
      if (typeof text !== "string") return undefined;
      const index = on.indexOf(text);
      return index === -1 ? [on, "", ""] : parted(on, index, text.length);
    },
    rpartition: (on, [text]) => {
      if (typeof text !== "string") return undefined;
      const index = on.lastIndexOf(text);
      return index === -1 ? ["", "", on] : parted(on, index, text.length);
    },
    remove: (on, [text]) => replaced(true)(on, [text!, ""]),
  },
  two: {
    gsub: replaced(true),
    sub: replaced(false),
    tr,
    "between?": (on, [from, to]) =>
      typeof from === "string" && typeof to === "string" ? compare(on, from)! >= 0 && compare(on, to)! <= 0 : undefined,
  },
  upToOne: {
    chomp,
    to_i: toInteger,
    lines,
    squeeze: (on, [set]) => {
      const has = set === undefined ? () => true : inSet(set);
      const chars = Array.from(on);
      return has && chars.filter((char, index) => char !== chars[index - 1] || !has(char)).join("");
    },
  },
  oneOrTwo: {
    "[]": at,
    slice: at,
    ljust: justified((text, fill, missing) => text + fill(missing)),
    rjust: justified((text, fill, missing) => fill(missing) + text),
    center: justified((text, fill, missing) => fill(Math.floor(missing / 2)) + text + fill(Math.ceil(missing / 2))),
  },
  any: {
    split: (on, args) => (args.length <= 2 ? split(on, args) : undefined),
    "start_with?": anyText((on, text) => on.startsWith(text)),
    "end_with?": anyText((on, text) => on.endsWith(text)),
  },
});

function indexOrNil(index: number): bigint | null {
  return index === -1 ? null : BigInt(index);
}

export const STRING_BLOCKS = blockMethods<string>({
  none: {
    each_line: async (on, block) => {
      for (const line of lines(on, []) ?? []) await block.call([line]);
      return on;
    },
    each_char: async (on, block) => {
      for (const char of on) await block.call([char]);
      return on;
    },
  },
  one: { gsub: replacedByBlock(true), sub: replacedByBlock(false) },
});

export const SYMBOL = methods<RubySymbol>({
  none: {
    name: (on) => on.name,
    to_sym: (on) => on,
    length: (on) => BigInt(Array.from(on.name).length),
    size: (on) => BigInt(Array.from(on.name).length),
    "empty?": (on) => on.name === "",
    upcase: (on) => new RubySymbol(on.name.toUpperCase()),
    downcase: (on) => new RubySymbol(on.name.toLowerCase()),
    capitalize: (on) => new RubySymbol(capitalize(on.name)),
  },
  any: {
    "start_with?": (on, texts) => anyText((text, start) => text.startsWith(start))(on.name, texts),
    "end_with?": (on, texts) => anyText((text, end) => text.endsWith(end))(on.name, texts),
  },
});

export const REGEXP = methods<RubyRegexp>({
  one: {
    "match?": (on, [text]) =>
      typeof text === "string" ? matchOf(text, on) !== null : text === null ? false : undefined,
    match: (on, [text]) => (typeof text === "string" ? matchOf(text, on) : text === null ? null : undefined),
    "=~": (on, [text]) =>
      typeof text === "string" ? STRING.get("=~")!.run(text, [on]) : text === null ? null : undefined,
  },
});

export const MATCH = methods<RubyMatch>({
  none: {
    captures: ({ match }) => match.slice(1).map((group) => group ?? null),
    to_a: ({ match }) => Array.from(match, (group) => group ?? null),
    pre_match: ({ match }) => match.input.slice(0, match.index),
    post_match: ({ match }) => match.input.slice(match.index + match[0].length),
  },
  one: { "[]": (on, [name]) => on.group(name!) },
});
