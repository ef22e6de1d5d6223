import { generateJson } from "./json.ts";
import { HASH, HASH_BLOCKS } from "./hashes.ts";
import { LIST, LIST_BLOCKS } from "./lists.ts";
import { type BlockMethods, blockMethods, cannot, find, methods, type Methods } from "./method-table.ts";
import { NUMBER, NUMBER_BLOCKS, RANGE, RANGE_BLOCKS, rangeItems } from "./numbers.ts";
import { MATCH, REGEXP, STRING, STRING_BLOCKS, SYMBOL } from "./strings.ts";
import {
  blank,
  compare,
  inspect,
  isA,
  isList,
  matchesPattern,
  messageOf,
  Refused,
  RubyClass,
  RubyException,
  RubyHash,
  RubyMatch,
  RubyProc,
  RubyRange,
  RubyRegexp,
  RubySymbol,
  type RubyValue,
  same,
  toText,
  truthy,
} from "./ruby-values.ts";

/**
 * Calls a method.
 * @throws Unsupported @throws Refused if nil has no such method @throws TooMuch before a value is made that is too large
 */
export async function callMethod(
  on: RubyValue,
  name: string,
  args: readonly RubyValue[],
  block?: RubyProc,
): Promise<RubyValue> {
  if (on instanceof RubyProc && (name === "call" || name === "[]")) return on.call(args);
  const result = block ? await withBlock(on, name, args, block) : withoutBlock(on, name, args);
  if (result === undefined) throw cannot(name);
  return result;
}

/** Whether any value has the method. */
export function isKnownMethod(name: string, hasBlock: boolean): boolean {
  if (name === "call") return true;
  const tables: readonly ReadonlyMap<string, unknown>[] = hasBlock
    ? [ANY_BLOCKS, STRING_BLOCKS, LIST_BLOCKS, HASH_BLOCKS, NUMBER_BLOCKS, RANGE_BLOCKS]
    : [ANY, NIL, STRING, SYMBOL, REGEXP, MATCH, LIST, HASH, NUMBER, RANGE, EXCEPTION];
  return tables.some((table) => table.has(name));
}

function withoutBlock(on: RubyValue, name: string, args: readonly RubyValue[]): RubyValue | undefined {
  const own = methodsOf(on);
  // Ruby finds `to_i` of nil, but few other methods.
  if (on === null && !ANY.has(name) && !own.has(name)) throw noMethod(name);
  if (own.has(name) || ANY.has(name)) return find(name, args.length, [own, ANY])(on as never, args);
  return find(name, args.length, [LIST])(itemsOf(on, name), args);
}

async function withBlock(
  on: RubyValue,
  name: string,
  args: readonly RubyValue[],
  block: RubyProc,
): Promise<RubyValue | undefined> {
  const own = blockMethodsOf(on);
  if (own?.has(name)) return find(name, args.length, [own])(on as never, block, args);
  if (ANY_BLOCKS.has(name)) return find(name, args.length, [ANY_BLOCKS])(on, block, args);
  if (on === null) throw noMethod(name);
  return find(name, args.length, [LIST_BLOCKS])(itemsOf(on, name), block, args);
}

function noMethod(name: string): Refused {
  return new Refused(`\`${name}\` cannot be called like this`, new RubyException("NoMethodError"));
}

/** The items of a hash or a range, which have the methods of a list as well. */
function itemsOf(on: RubyValue, name: string): RubyValue[] {
  const items = on instanceof RubyHash ? on.pairs() : on instanceof RubyRange ? rangeItems(on) : undefined;
  // These would change only the copy.
  if (!items || /^(?:<<|push|append|concat|unshift|prepend|pop|shift|delete|\[\]=|[-+*&|])$/.test(name))
    throw cannot(name);
  return items;
}

function methodsOf(on: RubyValue): Methods<never> {
  if (typeof on === "string") return STRING;
  if (typeof on === "bigint" || typeof on === "number") return NUMBER;
  if (isList(on)) return LIST;
  if (on instanceof RubyHash) return HASH;
  if (on instanceof RubySymbol) return SYMBOL;
  if (on instanceof RubyRange) return RANGE;
  if (on instanceof RubyRegexp) return REGEXP;
  if (on instanceof RubyMatch) return MATCH;
  if (on instanceof RubyException) return EXCEPTION;
  return on === null ? NIL : NONE;
}

function blockMethodsOf(on: RubyValue): BlockMethods<never> | undefined {
  if (typeof on === "string") return STRING_BLOCKS;
  if (typeof on === "bigint" || typeof on === "number") return NUMBER_BLOCKS;
  if (isList(on)) return LIST_BLOCKS;
  if (on instanceof RubyHash) return HASH_BLOCKS;
  return on instanceof RubyRange ? RANGE_BLOCKS : undefined;
}

const NONE = methods<never>({});

const NIL = methods<null>({
  none: { to_a: () => [], to_h: () => new RubyHash(), to_f: () => 0 },
  one: { "&": () => false },
});

const EXCEPTION = methods<RubyException>({
  none: { message: messageOf, class: ({ className }) => new RubyClass(className) },
});

/** `to_i` of a value that has no such method in its own table. */
function toInteger(on: RubyValue): bigint | undefined {
  if (on === null) return 0n;
  if (typeof on === "bigint") return on;
  return typeof on === "number" && Number.isFinite(on) ? BigInt(Math.trunc(on)) : undefined;
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
    to_json: (on) => generateJson(on),
    freeze: (on) => on,
    itself: (on) => on,
    dup: copy,
    clone: copy,
  },
  one: {
    "==": (on, [other]) => same(on, other!),
    "!=": (on, [other]) => !same(on, other!),
    "eql?": (on, [other]) => (typeof on === typeof other ? same(on, other!) : false),
    "===": (on, [other]) => matchesPattern(on, other!),
    "<=>": (on, [other]) => {
      const order = compare(on, other!);
      return order === undefined ? null : BigInt(Math.sign(order));
    },
    "is_a?": isOf,
    "kind_of?": isOf,
    "instance_of?": isOf,
    "in?": (on, [list]) => {
      if (isList(list)) return list.some((item) => same(item, on));
      if (list instanceof RubyRange) return matchesPattern(list, on);
      return typeof list === "string" && typeof on === "string" ? list.includes(on) : undefined;
    },
    "cover?": (on, [value]) => (on instanceof RubyRange ? matchesPattern(on, value!) : undefined),
    "!~": (on, [pattern]) => (pattern instanceof RubyRegexp ? !matchesPattern(pattern, on) : undefined),
  },
});

function isOf(on: RubyValue, [kind]: readonly RubyValue[]): boolean | undefined {
  return kind instanceof RubyClass ? isA(on, kind) : undefined;
}

function copy(on: RubyValue): RubyValue {
  if (isList(on)) return [...on];
  return on instanceof RubyHash ? new RubyHash(on.pairs()) : on;
}

const YIELD_SELF = (on: RubyValue, block: RubyProc) => block.call([on]);

const ANY_BLOCKS = blockMethods<RubyValue>({
  none: {
    ...Object.fromEntries(["then", "yield_self"].map((name) => [name, YIELD_SELF])),
    tap: async (on, block) => {
      await block.call([on]);
      return on;
    },
  },
});
