import { checkDigits, checkSize } from "./budget.ts";
import { blank, inspect, isList, type RubyValue, same, toText, truthy } from "./ruby-values.ts";

/** A method that is not supported here, for this value or with these arguments. */
export class Unsupported extends Error {}

/** @throws Unsupported @throws TooMuch before a value is made that is too large */
export function callMethod(on: RubyValue, name: string, args: readonly RubyValue[]): RubyValue {
  const method = ANY.get(name) ?? methodsOf(on)?.get(name);
  const fits = method && args.length >= method.least && args.length <= method.most;
  const result = fits ? method.run(on as never, args) : undefined;
  if (result === undefined) throw new Unsupported(`\`${name}\` cannot be called like this`);
  return result;
}

interface Method<T> {
  readonly least: number;
  readonly most: number;
  /** undefined: not supported with these arguments. */
  readonly run: (on: T, args: readonly RubyValue[]) => RubyValue | undefined;
}

type Run<T> = Method<T>["run"];

function methods<T>(
  table: Readonly<{ none?: Record<string, Run<T>>; one?: Record<string, Run<T>>; upToOne?: Record<string, Run<T>> }>,
): ReadonlyMap<string, Method<T>> {
  const rows = (least: number, most: number, runs: Record<string, Run<T>> = {}) =>
    Object.entries(runs).map(([name, run]): [string, Method<T>] => [name, { least, most, run }]);
  return new Map([...rows(0, 0, table.none), ...rows(1, 1, table.one), ...rows(0, 1, table.upToOne)]);
}

function methodsOf(on: RubyValue): ReadonlyMap<string, Method<never>> | undefined {
  if (typeof on === "string") return STRING;
  if (isList(on)) return LIST;
  return typeof on === "bigint" || typeof on === "number" ? NUMBER : undefined;
}

const ANY = methods<RubyValue>({
  none: {
    "!": (on) => !truthy(on),
    "nil?": (on) => on === null,
    to_s: toText,
    inspect,
    // MRSK has ActiveSupport loaded, so its templates use these.
    "blank?": blank,
    "present?": (on) => !blank(on),
    presence: (on) => (blank(on) ? null : on),
    to_i: toInteger,
  },
  one: {
    "==": (on, [other]) => same(on, other!),
    "!=": (on, [other]) => !same(on, other!),
  },
});

function toInteger(on: RubyValue): bigint | undefined {
  if (on === null) return 0n;
  if (typeof on === "bigint") return on;
  if (typeof on === "number") return Number.isFinite(on) ? BigInt(Math.trunc(on)) : undefined;
  if (typeof on !== "string") return undefined;
  const digits = /^[ \t\n\v\f\r]*([-+]?\d+(?:_\d+)*)/.exec(on)?.[1] ?? "0";
  checkDigits(digits.length);
  return BigInt(digits.replaceAll(/[+_]/g, ""));
}

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

const STRING = methods<string>({
  none: {
    strip: (on) => lstrip(rstrip(on)),
    lstrip,
    rstrip,
    upcase: (on) => on.toUpperCase(),
    downcase: (on) => on.toLowerCase(),
    "empty?": (on) => on === "",
  },
  one: {
    "+": (on, [other]) => (typeof other === "string" ? on + other : undefined),
    "*": repeated,
  },
  upToOne: { chomp, split },
});

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

function split(on: string, [separator = " "]: readonly RubyValue[]): string[] | undefined {
  if (typeof separator !== "string") return undefined;
  const parts = partsOf(on, separator);
  while (parts.at(-1) === "") parts.pop();
  return parts;
}

function partsOf(on: string, separator: string): string[] {
  if (separator === " ") return lstrip(rstrip(on)).split(/[\0 \t\n\v\f\r]+/);
  return separator === "" ? Array.from(on) : on.split(separator);
}

const LIST = methods<readonly RubyValue[]>({
  none: {
    first: (on) => on[0] ?? null,
    last: (on) => on.at(-1) ?? null,
    "empty?": (on) => on.length === 0,
  },
  one: {
    "[]": (on, [index]) => (typeof index === "bigint" ? (on.at(Number(index)) ?? null) : undefined),
    "+": (on, [other]) => (isList(other) ? [...on, ...other] : undefined),
  },
  upToOne: { join },
});

/** Nested lists are joined with the same separator. */
function join(on: readonly RubyValue[], [separator = ""]: readonly RubyValue[]): string | undefined {
  if (typeof separator !== "string") return undefined;
  const texts = flat(on).map(toText);
  checkSize(texts.reduce((size, text) => size + text.length, separator.length * texts.length));
  return texts.join(separator);
}

function flat(list: readonly RubyValue[]): RubyValue[] {
  return list.flatMap((item) => (isList(item) ? flat(item) : [item]));
}

const NUMBER = methods<bigint | number>({
  one: {
    "+": calculation(
      (a, b) => a + b,
      (a, b) => a + b,
    ),
    "-": calculation(
      (a, b) => a - b,
      (a, b) => a - b,
    ),
    "*": calculation(
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  },
});

function calculation(
  integers: (a: bigint, b: bigint) => bigint,
  floats: (a: number, b: number) => number,
): Run<bigint | number> {
  return (a, [b]) => {
    if (typeof b !== "bigint" && typeof b !== "number") return undefined;
    return typeof a === "bigint" && typeof b === "bigint" ? integers(a, b) : floats(Number(a), Number(b));
  };
}
