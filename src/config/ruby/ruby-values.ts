import { rubyFloat } from "../yaml/psych.ts";

/** A value of a template. A `bigint` is an Integer, a `number` is a Float. */
export type RubyValue = string | bigint | number | boolean | null | readonly RubyValue[];

export function isList(value: RubyValue | undefined): value is readonly RubyValue[] {
  return Array.isArray(value);
}

export function truthy(value: RubyValue): boolean {
  return value !== null && value !== false;
}

/** `to_s` */
export function toText(value: RubyValue): string {
  if (value === null) return "";
  if (typeof value === "number") return rubyFloat(value);
  return isList(value) ? inspect(value) : String(value);
}

export function inspect(value: RubyValue): string {
  if (value === null) return "nil";
  if (typeof value === "string") return inspectText(value);
  if (isList(value)) return `[${value.map(inspect).join(", ")}]`;
  return toText(value);
}

const ESCAPES = new Map(
  Object.entries({ '"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\f": "\\f" }),
);
for (const [char, letter] of Object.entries({ "\v": "v", "\b": "b", "\x07": "a", "\x1b": "e" }))
  ESCAPES.set(char, `\\${letter}`);

function inspectText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const escaped = text.replaceAll(/["\\\u0000-\u001f\u007f]|#(?=[{$@])/g, (char) => {
    if (char === "#") return "\\#";
    return (
      ESCAPES.get(char) ??
      (char === "\u007f" ? "\\x7F" : `\\u00${char.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`)
    );
  });
  return `"${escaped}"`;
}

/** `==` */
export function same(a: RubyValue, b: RubyValue): boolean {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, index) => same(item, b[index]!));
  // An Integer equals the Float of the same value.
  if (typeof a === "bigint" && typeof b === "number") return Number(a) === b;
  if (typeof a === "number" && typeof b === "bigint") return a === Number(b);
  return a === b;
}

/** `blank?` of ActiveSupport. */
export function blank(value: RubyValue): boolean {
  if (typeof value === "string") return value.trim() === "";
  return isList(value) ? value.length === 0 : !truthy(value);
}
