import { checkDigits, checkSize } from "./budget.ts";
import { blockMethods, methods } from "./method-table.ts";
import {
  compare,
  isNumber,
  matchesPattern,
  Refused,
  RubyException,
  type RubyProc,
  RubyRange,
  type RubyValue,
} from "./ruby-values.ts";

type Numeric = bigint | number;

function calculation(
  ofIntegers: (a: bigint, b: bigint) => bigint | undefined,
  ofFloats: (a: number, b: number) => number,
) {
  return (a: Numeric, [b]: readonly RubyValue[]): Numeric | undefined => {
    if (!isNumber(b)) return undefined;
    return typeof a === "bigint" && typeof b === "bigint" ? ofIntegers(a, b) : ofFloats(Number(a), Number(b));
  };
}

function checkDivisor(b: bigint): void {
  if (b === 0n) throw new Refused("a division by zero", new RubyException("ZeroDivisionError", "divided by 0"));
}

/** Ruby rounds towards the smaller number. */
function quotient(a: bigint, b: bigint): bigint {
  checkDivisor(b);
  return a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
}

function remainder(a: bigint, b: bigint): bigint {
  return a - b * quotient(a, b);
}

function power(a: bigint, b: bigint): bigint | undefined {
  if (b < 0n) return undefined;
  const digits = a.toString().length * Number(b);
  checkDigits(digits);
  return a ** b;
}

function ordered(holds: (order: number) => boolean) {
  return (on: Numeric, [other]: readonly RubyValue[]): boolean | undefined =>
    isNumber(other) ? holds(compare(on, other)!) : undefined;
}

function whole(rounded: (value: number) => number) {
  return (on: Numeric): bigint | undefined => {
    if (typeof on === "bigint") return on;
    return Number.isFinite(on) ? BigInt(rounded(on)) : undefined;
  };
}

function round(on: Numeric, [digits = 0n]: readonly RubyValue[]): Numeric | undefined {
  if (typeof digits !== "bigint" || digits < 0n || digits > 15n) return undefined;
  if (typeof on === "bigint") return on;
  // A half is rounded away from zero.
  if (digits === 0n) return whole((value) => Math.sign(value) * Math.round(Math.abs(value)))(on);
  return Math.abs(on) < 1e6 ? Number(on.toFixed(Number(digits))) : undefined;
}

/** The integers of a range, for `each` and so on. @throws TooMuch */
function integers(from: bigint, to: bigint, step = 1n): bigint[] {
  const count = step === 0n ? 0n : (to - from) / step + 1n;
  if (count <= 0n || to < from !== step < 0n) return from === to ? [from] : [];
  checkSize(Number(count));
  return Array.from({ length: Number(count) }, (_, index) => from + BigInt(index) * step);
}

/** `to_a` of a range; undefined if its ends are neither numbers nor single letters. @throws TooMuch */
export function rangeItems({ from, to, exclusive }: RubyRange): RubyValue[] | undefined {
  if (typeof from === "bigint" && typeof to === "bigint") return integers(from, exclusive ? to - 1n : to);
  if (typeof from !== "string" || typeof to !== "string") return undefined;
  if (/^\d+$/.test(from) && /^\d+$/.test(to) && from.length === to.length) {
    const last = BigInt(to) - (exclusive ? 1n : 0n);
    return integers(BigInt(from), last).map((number) => String(number).padStart(from.length, "0"));
  }
  if (!/^(?:[a-z]{2}|[A-Z]{2})$/.test(from + to)) return undefined;
  const codes = integers(BigInt(from.charCodeAt(0)), BigInt(to.charCodeAt(0) - (exclusive ? 1 : 0)));
  return codes.map((code) => String.fromCharCode(Number(code)));
}

export const NUMBER = methods<Numeric>({
  none: {
    "-@": (on) => -on,
    "+@": (on) => on,
    abs: (on) => (on < 0 ? -on : on),
    to_f: Number,
    to_int: whole(Math.trunc),
    floor: whole(Math.floor),
    ceil: whole(Math.ceil),
    truncate: whole(Math.trunc),
    succ: (on) => (typeof on === "bigint" ? on + 1n : undefined),
    next: (on) => (typeof on === "bigint" ? on + 1n : undefined),
    pred: (on) => (typeof on === "bigint" ? on - 1n : undefined),
    "zero?": (on) => Number(on) === 0,
    "positive?": (on) => on > 0,
    "negative?": (on) => on < 0,
    "even?": (on) => (typeof on === "bigint" ? on % 2n === 0n : undefined),
    "odd?": (on) => (typeof on === "bigint" ? on % 2n !== 0n : undefined),
    times: (on) => (typeof on === "bigint" ? integers(0n, on - 1n) : undefined),
  },
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
    "/": calculation(quotient, (a, b) => a / b),
    "%": calculation(remainder, (a, b) => a - b * Math.floor(a / b)),
    modulo: calculation(remainder, (a, b) => a - b * Math.floor(a / b)),
    "**": calculation(power, (a, b) => a ** b),
    "<=>": (on, [other]) => (isNumber(other) ? BigInt(compare(on, other)!) : null),
    "<": ordered((order) => order < 0),
    "<=": ordered((order) => order <= 0),
    ">": ordered((order) => order > 0),
    ">=": ordered((order) => order >= 0),
    upto: (on, [to]) => (typeof on === "bigint" && typeof to === "bigint" ? integers(on, to) : undefined),
    downto: (on, [to]) => (typeof on === "bigint" && typeof to === "bigint" ? integers(on, to, -1n) : undefined),
  },
  two: {
    "between?": (on, [from, to]) =>
      isNumber(from) && isNumber(to) ? compare(on, from)! >= 0 && compare(on, to)! <= 0 : undefined,
    clamp: (on, [from, to]) => {
      if (!isNumber(from) || !isNumber(to)) return undefined;
      if (compare(on, from)! < 0) return from;
      return compare(on, to)! > 0 ? to : on;
    },
  },
  upToOne: { round },
});

function counting(numbers: (on: bigint, args: readonly RubyValue[]) => bigint[] | undefined) {
  return async (on: Numeric, block: RubyProc, args: readonly RubyValue[]): Promise<RubyValue | undefined> => {
    const all = typeof on === "bigint" ? numbers(on, args) : undefined;
    for (const number of all ?? []) await block.call([number]);
    return all && on;
  };
}

export const NUMBER_BLOCKS = blockMethods<Numeric>({
  none: { times: counting((on) => integers(0n, on - 1n)) },
  one: {
    upto: counting((on, [to]) => (typeof to === "bigint" ? integers(on, to) : undefined)),
    downto: counting((on, [to]) => (typeof to === "bigint" ? integers(on, to, -1n) : undefined)),
  },
});

function includes(on: RubyRange, [value]: readonly RubyValue[]): boolean | undefined {
  if (typeof on.from === "bigint" || typeof on.to === "bigint") return matchesPattern(on, value!);
  return rangeItems(on)?.includes(value!);
}

export const RANGE = methods<RubyRange>({
  none: {
    begin: (on) => on.from,
    end: (on) => on.to,
    to_a: rangeItems,
  },
  one: {
    "include?": includes,
    "member?": includes,
    step: ({ from, to, exclusive }, [by]) => {
      if (typeof from !== "bigint" || typeof to !== "bigint" || typeof by !== "bigint" || by <= 0n) return undefined;
      return integers(from, exclusive ? to - 1n : to, by);
    },
  },
});

export const RANGE_BLOCKS = blockMethods<RubyRange>({
  one: {
    step: async (on, block, args) => {
      const numbers = RANGE.get("step")!.run(on, args) as bigint[] | undefined;
      for (const number of numbers ?? []) await block.call([number]);
      return numbers && on;
    },
  },
});
