import { rubyFloat } from "./psych.ts";

/** `bigint` is Integer, `number` is Float. */
export type RubyValue = string | bigint | number | boolean | null | readonly RubyValue[];

/** A method that this value does not have, here or in Ruby. */
export class Unsupported extends Error {}

export function truthy(value: RubyValue): boolean {
  return value !== null && value !== false;
}

/** `to_s` */
export function toText(value: RubyValue): string {
  if (value === null) return "";
  if (typeof value === "number") return rubyFloat(value);
  return Array.isArray(value) ? inspect(value) : String(value);
}

export function inspect(value: RubyValue): string {
  if (value === null) return "nil";
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly RubyValue[]).map(inspect).join(", ")}]`;
  return toText(value);
}

/** @throws Unsupported */
export function callMethod(on: RubyValue, name: string, args: readonly RubyValue[]): RubyValue {
  const method =
    ANY[name] ??
    (typeof on === "string" ? STRING[name] : undefined) ??
    (Array.isArray(on) ? LIST[name] : undefined) ??
    (typeof on === "bigint" || typeof on === "number" ? NUMBER[name] : undefined);
  const result = method?.(on as never, args);
  if (result === undefined) throw new Unsupported(`\`${name}\` cannot be called like this`);
  return result;
}

type Methods<T> = Readonly<Record<string, (on: T, args: readonly RubyValue[]) => RubyValue | undefined>>;

const ANY: Methods<RubyValue> = {
  "!": (on) => !truthy(on),
  "==": (on, [other]) => same(on, other),
  "!=": (on, [other]) => !same(on, other),
  "nil?": (on) => on === null,
  to_s: (on, args) => (args.length === 0 ? toText(on) : undefined),
  // MRSK has ActiveSupport loaded, so its templates use these.
  "blank?": blank,
  "present?": (on) => !blank(on),
  presence: (on) => (blank(on) ? null : on),
  to_i: (on) => {
    if (on === null) return 0n;
    if (typeof on === "bigint") return on;
    if (typeof on === "number") return BigInt(Math.trunc(on));
    if (typeof on !== "string") return undefined;
    return BigInt(/^\s*([-+]?\d+(?:_\d+)*)/.exec(on)?.[1]!.replace(/[+_]/g, "") ?? 0);
  },
};

const STRING: Methods<string> = {
  strip: (on) => on.replace(/^[\s\0]+|[\s\0]+$/g, ""),
  lstrip: (on) => on.replace(/^[\s\0]+/, ""),
  rstrip: (on) => on.replace(/[\s\0]+$/, ""),
  chomp: (on, [end]) => {
    if (end === undefined) return on.replace(/(?:\r\n|\n|\r)$/, "");
    return typeof end === "string" ? (on.endsWith(end) ? on.slice(0, on.length - end.length) : on) : undefined;
  },
  upcase: (on) => on.toUpperCase(),
  downcase: (on) => on.toLowerCase(),
  "empty?": (on) => on === "",
  split: (on, [separator = " "]) => {
    if (typeof separator !== "string") return undefined;
    const parts = separator === " " ? on.trim().split(/\s+/) : on.split(separator);
    while (parts.at(-1) === "") parts.pop();
    return parts;
  },
  "+": (on, [other]) => (typeof other === "string" ? on + other : undefined),
  "*": (on, [times]) => (typeof times === "bigint" && times >= 0n ? on.repeat(Number(times)) : undefined),
};

const LIST: Methods<readonly RubyValue[]> = {
  join: (on, [separator = ""]) => (typeof separator === "string" ? on.map(toText).join(separator) : undefined),
  first: (on, args) => (args.length === 0 ? (on[0] ?? null) : undefined),
  last: (on, args) => (args.length === 0 ? (on.at(-1) ?? null) : undefined),
  "[]": (on, [index]) => (typeof index === "bigint" ? (on.at(Number(index)) ?? null) : undefined),
  "+": (on, [other]) => (Array.isArray(other) ? [...on, ...(other as readonly RubyValue[])] : undefined),
  "empty?": (on) => on.length === 0,
};

const NUMBER: Methods<bigint | number> = {
  "+": (on, [other]) =>
    calculate(
      on,
      other,
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  "-": (on, [other]) =>
    calculate(
      on,
      other,
      (a, b) => a - b,
      (a, b) => a - b,
    ),
  "*": (on, [other]) =>
    calculate(
      on,
      other,
      (a, b) => a * b,
      (a, b) => a * b,
    ),
};

function calculate(
  a: bigint | number,
  b: RubyValue | undefined,
  integers: (a: bigint, b: bigint) => bigint,
  floats: (a: number, b: number) => number,
): bigint | number | undefined {
  if (typeof b !== "bigint" && typeof b !== "number") return undefined;
  return typeof a === "bigint" && typeof b === "bigint" ? integers(a, b) : floats(Number(a), Number(b));
}

function same(a: RubyValue, b: RubyValue | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => same(item as RubyValue, b[index] as RubyValue));
  }
  // An Integer equals the Float of the same value.
  if (typeof a === "bigint" && typeof b === "number") return Number(a) === b;
  if (typeof a === "number" && typeof b === "bigint") return a === Number(b);
  return a === b;
}

function blank(value: RubyValue): boolean {
  if (typeof value === "string") return value.trim() === "";
  return Array.isArray(value) ? value.length === 0 : !truthy(value);
}
