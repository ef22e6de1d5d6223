import { rubyFloat } from "../yaml/psych.ts";

/** A value of a template. A `bigint` is an Integer, a `number` is a Float. Lists and maps can change, as in Ruby. */
export type RubyValue =
  | string
  | bigint
  | number
  | boolean
  | null
  | RubyValue[]
  | RubyHash
  | RubySymbol
  | RubyRange
  | RubyRegexp
  | RubyMatch
  | RubyClass
  | RubyException
  | RubyProc;

/** A construct, a method or an argument that is not supported here; Ruby itself may accept it. */
export class Unsupported extends Error {}

/** Ruby refuses this too. `exception`: what a `rescue` gets; undefined if no `rescue` may hide it. */
export class Refused extends Error {
  readonly exception: RubyException | undefined;

  constructor(message: string, exception?: RubyException) {
    super(message);
    this.exception = exception;
  }
}

/** A Hash, in the order of insertion. */
export class RubyHash {
  private readonly byKey = new Map<string, [RubyValue, RubyValue]>();

  constructor(pairs: Iterable<readonly [RubyValue, RubyValue]> = []) {
    for (const [key, value] of pairs) this.set(key, value);
  }

  get size(): number {
    return this.byKey.size;
  }

  get(key: RubyValue): RubyValue | undefined {
    return this.byKey.get(keyOf(key))?.[1];
  }

  /** A key that is known keeps its place. */
  set(key: RubyValue, value: RubyValue): void {
    const known = this.byKey.get(keyOf(key));
    if (known) known[1] = value;
    else this.byKey.set(keyOf(key), [key, value]);
  }

  delete(key: RubyValue): void {
    this.byKey.delete(keyOf(key));
  }

  pairs(): [RubyValue, RubyValue][] {
    return Array.from(this.byKey.values(), ([key, value]) => [key, value]);
  }
}

export class RubySymbol {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class RubyRange {
  readonly from: RubyValue;
  readonly to: RubyValue;
  readonly exclusive: boolean;

  constructor(from: RubyValue, to: RubyValue, exclusive: boolean) {
    this.from = from;
    this.to = to;
    this.exclusive = exclusive;
  }
}

/** `pattern` has the flags `gu`; its users set `lastIndex`. */
export class RubyRegexp {
  readonly pattern: RegExp;

  constructor(pattern: RegExp) {
    this.pattern = pattern;
  }
}

export class RubyMatch {
  readonly match: RegExpExecArray;

  constructor(match: RegExpExecArray) {
    this.match = match;
  }

  /** undefined: there is no such group. */
  group(name: RubyValue): RubyValue | undefined {
    if (typeof name === "bigint") return this.match.at(Number(name)) ?? null;
    const text = name instanceof RubySymbol ? name.name : name;
    const { groups } = this.match;
    if (typeof text !== "string" || !groups || !Object.hasOwn(groups, text)) return undefined;
    return groups[text] ?? null;
  }
}

/** A class of Ruby, for `is_a?`, `rescue` and `case`. */
export class RubyClass {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** `message` is Ruby's; undefined if it is not known here. */
export class RubyException {
  readonly className: string;
  readonly message: string | undefined;

  constructor(className: string, message?: string) {
    this.className = className;
    this.message = message;
  }
}

/** A block, a lambda, or `&:name`. */
export class RubyProc {
  readonly call: (args: readonly RubyValue[]) => Promise<RubyValue>;

  constructor(call: (args: readonly RubyValue[]) => Promise<RubyValue>) {
    this.call = call;
  }
}

export function isList(value: RubyValue | undefined): value is RubyValue[] {
  return Array.isArray(value);
}

export function truthy(value: RubyValue): boolean {
  return value !== null && value !== false;
}

function keyOf(value: RubyValue): string {
  if (typeof value === "string") return `s${value}`;
  if (value instanceof RubySymbol) return `:${value.name}`;
  if (isList(value)) return JSON.stringify(value.map(keyOf));
  if (typeof value === "number") return `f${value}`;
  if (value === null || typeof value !== "object") return String(value);
  throw new Unsupported("a key of a hash should be a string, a symbol, a number or a list");
}

/** `to_s` @throws Unsupported */
export function toText(value: RubyValue): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  if (value instanceof RubySymbol || value instanceof RubyClass) return value.name;
  if (value instanceof RubyRange) return `${toText(value.from)}${dots(value)}${toText(value.to)}`;
  if (value instanceof RubyMatch) return value.match[0];
  if (value instanceof RubyException) return messageOf(value);
  return inspect(value);
}

/** @throws Unsupported */
export function messageOf({ className, message }: RubyException): string {
  if (message === undefined) throw new Unsupported(`the message of ${className} is not known`);
  return message;
}

function dots({ exclusive }: RubyRange): string {
  return exclusive ? "..." : "..";
}

/** @throws Unsupported if the text depends on the version of Ruby, as that of a hash */
export function inspect(value: RubyValue): string {
  if (value === null) return "nil";
  if (typeof value === "string") return inspectText(value);
  if (typeof value === "number") return rubyFloat(value);
  if (isList(value)) return `[${value.map(inspect).join(", ")}]`;
  if (value instanceof RubyHash && value.size === 0) return "{}";
  if (value instanceof RubySymbol) return inspectSymbol(value.name);
  if (value instanceof RubyClass) return value.name;
  if (value instanceof RubyRange) {
    const [from, to] = [value.from, value.to].map((end) => (end === null ? "" : inspect(end)));
    return `${from}${dots(value)}${to}`;
  }
  if (typeof value === "object") throw new Unsupported("the text of this value depends on the version of Ruby");
  return String(value);
}

function inspectSymbol(name: string): string {
  return /^[A-Za-z_]\w*[?!=]?$/.test(name) ? `:${name}` : `:${inspectText(name)}`;
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
  if (a instanceof RubyHash && b instanceof RubyHash) {
    return a.size === b.size && a.pairs().every(([key, value]) => same(value, b.get(key) ?? null));
  }
  if (a instanceof RubySymbol && b instanceof RubySymbol) return a.name === b.name;
  if (a instanceof RubyClass && b instanceof RubyClass) return a.name === b.name;
  if (a instanceof RubyRange && b instanceof RubyRange) {
    return a.exclusive === b.exclusive && same(a.from, b.from) && same(a.to, b.to);
  }
  return a === b;
}

/** `<=>`: negative, 0 or positive; undefined if the two cannot be compared. */
export function compare(a: RubyValue, b: RubyValue): number | undefined {
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (a instanceof RubySymbol && b instanceof RubySymbol) return compare(a.name, b.name);
  if (isNumber(a) && isNumber(b)) return Number(a > b) - Number(a < b);
  if (isList(a) && isList(b)) {
    for (let index = 0; index < Math.min(a.length, b.length); index++) {
      const order = compare(a[index]!, b[index]!);
      if (order !== 0) return order;
    }
    return a.length - b.length;
  }
  return same(a, b) ? 0 : undefined;
}

export function isNumber(value: RubyValue | undefined): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

/** `blank?` of ActiveSupport. */
export function blank(value: RubyValue): boolean {
  if (typeof value === "string") return value.trim() === "";
  if (value instanceof RubyHash) return value.size === 0;
  return isList(value) ? value.length === 0 : !truthy(value);
}

const KINDS: readonly (readonly [(value: RubyValue) => boolean, string])[] = [
  [(value) => typeof value === "string", "String Comparable"],
  [(value) => typeof value === "bigint", "Integer Numeric Comparable"],
  [(value) => typeof value === "number", "Float Numeric Comparable"],
  [(value) => value === null, "NilClass"],
  [(value) => value === true, "TrueClass"],
  [(value) => value === false, "FalseClass"],
  [isList, "Array Enumerable"],
  [(value) => value instanceof RubyHash, "Hash Enumerable"],
  [(value) => value instanceof RubySymbol, "Symbol Comparable"],
  [(value) => value instanceof RubyRange, "Range Enumerable"],
  [(value) => value instanceof RubyRegexp, "Regexp"],
  [(value) => value instanceof RubyMatch, "MatchData"],
  [(value) => value instanceof RubyProc, "Proc"],
];

/** The classes by their parent; all others that are known end in StandardError. */
const PARENTS = new Map(
  Object.entries({
    KeyError: "IndexError",
    StopIteration: "IndexError",
    NoMethodError: "NameError",
    FloatDomainError: "RangeError",
    "Errno::ENOENT": "SystemCallError",
    "Errno::EACCES": "SystemCallError",
    "Errno::EISDIR": "SystemCallError",
    "JSON::ParserError": "JSON::JSONError",
    LoadError: "ScriptError",
    ScriptError: "Exception",
    SystemExit: "Exception",
    StandardError: "Exception",
  }),
);
const STANDARD_ERRORS =
  "IndexError NameError RangeError SystemCallError JSON::JSONError ArgumentError TypeError RuntimeError ZeroDivisionError IOError RegexpError Psych::SyntaxError";
for (const name of STANDARD_ERRORS.split(" ")) PARENTS.set(name, "StandardError");

/** The class and its parents. */
function ancestors(className: string): string[] {
  const parent = PARENTS.get(className);
  return [className, ...(parent === undefined ? [] : ancestors(parent))];
}

export function isKnownClass(name: string): boolean {
  return (
    name === "Object" ||
    name === "Exception" ||
    PARENTS.has(name) ||
    KINDS.some(([, names]) => names.split(" ").includes(name))
  );
}

/** `is_a?` */
export function isA(value: RubyValue, { name }: RubyClass): boolean {
  if (name === "Object") return true;
  if (value instanceof RubyException) return ancestors(value.className).includes(name);
  return KINDS.some(([matches, names]) => matches(value) && names.split(" ").includes(name));
}

/** Whether `value` is `===` to the pattern of a `when`. */
export function matchesPattern(pattern: RubyValue, value: RubyValue): boolean {
  if (pattern instanceof RubyClass) return isA(value, pattern);
  if (pattern instanceof RubyRange) return covers(pattern, value);
  if (pattern instanceof RubyRegexp) {
    const text = value instanceof RubySymbol ? value.name : value;
    pattern.pattern.lastIndex = 0;
    return typeof text === "string" && pattern.pattern.test(text);
  }
  if (pattern instanceof RubyProc) throw new Unsupported("a lambda cannot be compared");
  return same(pattern, value);
}

function covers({ from, to, exclusive }: RubyRange, value: RubyValue): boolean {
  const above = from === null ? 0 : compare(value, from);
  const below = to === null ? -1 : compare(value, to);
  if (above === undefined || below === undefined) return false;
  return above >= 0 && (exclusive ? below < 0 : below <= 0);
}
