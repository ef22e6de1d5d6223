import { checkSize } from "./budget.ts";
import { blockMethods, methods } from "./method-table.ts";
import { slice } from "./strings.ts";
import {
  compare,
  isList,
  isNumber,
  matchesPattern,
  Refused,
  RubyClass,
  RubyException,
  RubyHash,
  type RubyProc,
  RubyRange,
  RubyRegexp,
  RubySymbol,
  type RubyValue,
  same,
  toText,
  truthy,
} from "./ruby-values.ts";

type List = RubyValue[];

/** Nested lists are joined with the same separator. */
function join(on: List, [separator = ""]: readonly RubyValue[]): string | undefined {
  if (separator !== null && typeof separator !== "string") return undefined;
  const between = separator ?? "";
  const texts = flat(on).map(toText);
  checkSize(texts.reduce((size, text) => size + text.length, between.length * texts.length));
  return texts.join(between);
}

function flat(list: List, depth = Infinity): RubyValue[] {
  return list.flatMap((item) => (isList(item) && depth > 0 ? flat(item, depth - 1) : [item]));
}

function at(on: List, args: readonly RubyValue[]): RubyValue | undefined {
  const [index, count] = args;
  if (typeof index === "bigint" && count === undefined) return on.at(Number(index)) ?? null;
  if (typeof index !== "bigint" && !(index instanceof RubyRange)) return undefined;
  const part = slice(on.length, args);
  return part ? on.slice(part.from, part.from + part.length) : null;
}

function countOf(value: RubyValue | undefined): number | undefined {
  return typeof value === "bigint" && value >= 0n ? Number(value) : undefined;
}

function unique(list: List, by: List = list): List {
  const seen = new RubyHash();
  return list.filter((_item, index) => {
    const key = by[index]!;
    const isNew = seen.get(key) === undefined;
    seen.set(key, true);
    return isNew;
  });
}

function without(on: List, others: List): List {
  const seen = new RubyHash(others.map((item) => [item, true]));
  return on.filter((item) => seen.get(item) === undefined);
}

/** By insertion order for equal keys, as few rely on Ruby's unstable order. @throws Refused if two cannot be compared */
function sorted(list: List, keys: List = list): List {
  return list
    .map((item, index) => ({ item, key: keys[index]! }))
    .toSorted((a, b) => {
      const order = compare(a.key, b.key);
      if (order === undefined || Number.isNaN(order)) throw failure("ArgumentError", "two values cannot be compared");
      return order;
    })
    .map(({ item }) => item);
}

function failure(className: string, message: string): Refused {
  return new Refused(message, new RubyException(className));
}

function sum(on: List, [start = 0n]: readonly RubyValue[]): RubyValue | undefined {
  let total = start;
  for (const item of on) {
    if (typeof total === "bigint" && typeof item === "bigint") total += item;
    else if (isNumber(total) && isNumber(item)) total = Number(total) + Number(item);
    else if (typeof total === "string" && typeof item === "string") total += item;
    else if (isList(total) && isList(item)) total = [...total, ...item];
    else return undefined;
  }
  return total;
}

/** `[[key, value], …]` as a hash. */
function toHash(on: List): RubyHash | undefined {
  if (!on.every((pair) => isList(pair) && pair.length === 2)) return undefined;
  return new RubyHash(on as [RubyValue, RubyValue][]);
}

/** For `all?`, `any?` and so on with a pattern instead of a block. */
function matching(on: List, [pattern]: readonly RubyValue[]): List {
  return on.filter((item) => (pattern === undefined ? truthy(item) : matchesPattern(pattern, item)));
}

function slices(on: List, [size]: readonly RubyValue[]): List | undefined {
  const count = countOf(size);
  if (!count) return undefined;
  return Array.from({ length: Math.ceil(on.length / count) }, (_, index) =>
    on.slice(index * count, (index + 1) * count),
  );
}

function windows(on: List, [size]: readonly RubyValue[]): List | undefined {
  const count = countOf(size);
  if (!count) return undefined;
  return Array.from({ length: Math.max(0, on.length - count + 1) }, (_, index) => on.slice(index, index + count));
}

function tally(on: List): RubyHash {
  const counts = new RubyHash();
  for (const item of on) counts.set(item, ((counts.get(item) as bigint | undefined) ?? 0n) + 1n);
  return counts;
}

function zip(on: List, others: readonly RubyValue[]): List | undefined {
  if (!others.every(isList)) return undefined;
  return on.map((item, index) => [item, ...others.map((other) => other[index] ?? null)]);
}

/** Adds to the list itself. */
function append(on: List, items: readonly RubyValue[]): List {
  on.push(...items);
  return on;
}

function reduceBy(on: List, operator: RubyValue | undefined, start?: RubyValue): RubyValue | undefined {
  if (!(operator instanceof RubySymbol) || operator.name !== "+") return undefined;
  const [first = null, ...more] = start === undefined ? on : [start, ...on];
  return sum(more, [first]);
}

export function dig(on: RubyValue, keys: readonly RubyValue[]): RubyValue | undefined {
  let here: RubyValue = on;
  for (const key of keys) {
    if (isList(here) && typeof key === "bigint") here = here.at(Number(key)) ?? null;
    else if (here instanceof RubyHash) here = here.get(key) ?? null;
    else return here === null ? null : undefined;
  }
  return here;
}

export const LIST = methods<List>({
  none: {
    "empty?": (on) => on.length === 0,
    length: (on) => BigInt(on.length),
    size: (on) => BigInt(on.length),
    to_a: (on) => on,
    entries: (on) => on,
    to_ary: (on) => on,
    uniq: (on) => unique(on),
    compact: (on) => on.filter((item) => item !== null),
    compact_blank: (on) =>
      on.filter((item) => !(item === "" || item === null || item === false || (isList(item) && item.length === 0))),
    reverse: (on) => on.toReversed(),
    sort: (on) => sorted(on),
    min: (on) => sorted(on)[0] ?? null,
    max: (on) => sorted(on).at(-1) ?? null,
    minmax: (on) => [sorted(on)[0] ?? null, sorted(on).at(-1) ?? null],
    to_h: toHash,
    tally,
    each_with_index: (on) => on.map((item, index) => [item, BigInt(index)]),
    second: (on) => on[1] ?? null,
    third: (on) => on[2] ?? null,
    "many?": (on) => on.length > 1,
  },
  one: {
    "+": (on, [other]) => (isList(other) ? [...on, ...other] : undefined),
    "-": (on, [other]) => (isList(other) ? without(on, other) : undefined),
    "&": (on, [other]) =>
      isList(other) ? unique(on.filter((item) => other.some((one) => same(one, item)))) : undefined,
    "|": (on, [other]) => (isList(other) ? unique([...on, ...other]) : undefined),
    "*": (on, [by]) => {
      if (typeof by === "string") return join(on, [by]);
      const times = countOf(by);
      if (times === undefined) return undefined;
      checkSize(times * Math.max(on.length, 1));
      return Array.from({ length: times }, () => on).flat();
    },
    "<<": (on, [item]) => append(on, [item!]),
    "<=>": (on, [other]) => {
      const order = isList(other) ? compare(on, other) : undefined;
      return order === undefined ? null : BigInt(Math.sign(order));
    },
    "include?": (on, [item]) => on.some((one) => same(one, item!)),
    "member?": (on, [item]) => on.some((one) => same(one, item!)),
    "exclude?": (on, [item]) => !on.some((one) => same(one, item!)),
    take: (on, [count]) => (countOf(count) === undefined ? undefined : on.slice(0, countOf(count))),
    drop: (on, [count]) => (countOf(count) === undefined ? undefined : on.slice(countOf(count))),
    index: (on, [item]) => indexOrNil(on.findIndex((one) => same(one, item!))),
    find_index: (on, [item]) => indexOrNil(on.findIndex((one) => same(one, item!))),
    each_slice: slices,
    each_cons: windows,
    grep: (on, [pattern]) =>
      pattern instanceof RubyRegexp || pattern instanceof RubyRange || pattern instanceof RubyClass
        ? matching(on, [pattern])
        : undefined,
    grep_v: (on, [pattern]) =>
      pattern instanceof RubyRegexp ? on.filter((item) => !matchesPattern(pattern, item)) : undefined,
    delete: (on, [item]) => {
      const kept = on.filter((one) => !same(one, item!));
      const found = kept.length < on.length;
      on.splice(0, on.length, ...kept);
      return found ? item! : null;
    },
  },
  two: {
    "[]=": (on, [index, value]) => {
      const count = countOf(index);
      if (count === undefined || count > on.length) return undefined;
      on[count] = value!;
      return value!;
    },
  },
  upToOne: {
    join,
    first: (on, [count]) =>
      count === undefined ? (on[0] ?? null) : countOf(count) === undefined ? undefined : on.slice(0, countOf(count)),
    last: (on, [count]) => {
      if (count === undefined) return on.at(-1) ?? null;
      return countOf(count) === undefined ? undefined : on.slice(Math.max(0, on.length - countOf(count)!));
    },
    flatten: (on, [depth]) =>
      depth === undefined ? flat(on) : countOf(depth) === undefined ? undefined : flat(on, countOf(depth)),
    sum,
    rotate: (on, [by = 1n]) => {
      if (typeof by !== "bigint" || on.length === 0) return on.length === 0 ? [] : undefined;
      const from = ((Number(by) % on.length) + on.length) % on.length;
      return [...on.slice(from), ...on.slice(0, from)];
    },
    count: (on, [item]) => BigInt(item === undefined ? on.length : on.filter((one) => same(one, item)).length),
    "any?": (on, args) => matching(on, args).length > 0,
    "all?": (on, args) => matching(on, args).length === on.length,
    "none?": (on, args) => matching(on, args).length === 0,
    "one?": (on, args) => matching(on, args).length === 1,
    pop: (on, [count]) => (count === undefined ? (on.pop() ?? null) : undefined),
    shift: (on, [count]) => (count === undefined ? (on.shift() ?? null) : undefined),
  },
  oneOrTwo: {
    "[]": at,
    slice: at,
    fetch: (on, [index, fallback]) => {
      if (typeof index !== "bigint") return undefined;
      const item = on.at(Number(index)) ?? fallback;
      if (item === undefined) throw failure("IndexError", `there is no item ${index} in the list`);
      return item;
    },
    inject: (on, args) => reduceBy(on, args.at(-1), args.length === 2 ? args[0] : undefined),
    reduce: (on, args) => reduceBy(on, args.at(-1), args.length === 2 ? args[0] : undefined),
  },
  any: {
    push: append,
    append,
    concat: (on, lists) => (lists.every(isList) ? append(on, lists.flat()) : undefined),
    unshift: (on, items) => {
      on.unshift(...items);
      return on;
    },
    prepend: (on, items) => {
      on.unshift(...items);
      return on;
    },
    zip,
    dig,
    values_at: (on, indexes) =>
      indexes.every((index) => typeof index === "bigint")
        ? indexes.map((index) => on.at(Number(index)) ?? null)
        : undefined,
    without: (on, items) => without(on, [...items]),
    excluding: (on, items) => without(on, [...items]),
    including: (on, items) => [...on, ...items],
  },
});

function indexOrNil(index: number): bigint | null {
  return index === -1 ? null : BigInt(index);
}

/** What the block returned for each item. */
async function mapped(on: List, block: RubyProc): Promise<List> {
  const results: List = [];
  for (const item of on) results.push(await block.call([item]));
  return results;
}

async function filtered(on: List, block: RubyProc, wanted = true): Promise<List> {
  const items = [...on];
  const results = await mapped(items, block);
  return items.filter((_item, index) => truthy(results[index]!) === wanted);
}

/** The index of the first item for which the block is true; the block is not called for those after it. */
async function indexOf(on: List, block: RubyProc, wanted = true): Promise<number> {
  for (const [index, item] of on.entries()) {
    if (truthy(await block.call([item])) === wanted) return index;
  }
  return -1;
}

async function each(on: List, block: RubyProc): Promise<List> {
  await mapped(on, block);
  return on;
}

async function map(on: List, block: RubyProc): Promise<List> {
  return mapped(on, block);
}

async function flatMap(on: List, block: RubyProc): Promise<List> {
  return (await mapped(on, block)).flat();
}

async function select(on: List, block: RubyProc): Promise<List> {
  return filtered(on, block);
}

async function find(on: List, block: RubyProc): Promise<RubyValue> {
  const index = await indexOf(on, block);
  return index === -1 ? null : on[index]!;
}

async function reduce(on: List, block: RubyProc, [start]: readonly RubyValue[]): Promise<RubyValue> {
  const [first, ...more] = start === undefined ? on : [start, ...on];
  let result: RubyValue = first ?? null;
  for (const item of more) result = await block.call([result, item]);
  return result;
}

async function sortBy(on: List, block: RubyProc): Promise<List> {
  return sorted([...on], await mapped(on, block));
}

/** `sort` with a block that compares two items; undefined if it returns no number. */
async function sortWith(on: List, block: RubyProc): Promise<List | undefined> {
  const result: List = [];
  for (const item of on) {
    let low = 0;
    let high = result.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = await block.call([item, result[middle]!]);
      if (!isNumber(order)) return undefined;
      if (order < 0) high = middle;
      else low = middle + 1;
    }
    result.splice(low, 0, item);
  }
  return result;
}

async function groupBy(on: List, block: RubyProc): Promise<RubyHash> {
  const keys = await mapped(on, block);
  const groups = new RubyHash();
  on.forEach((item, index) => {
    const known = groups.get(keys[index]!);
    groups.set(keys[index]!, isList(known) ? [...known, item] : [item]);
  });
  return groups;
}

export const LIST_BLOCKS = blockMethods<List>({
  none: {
    each,
    each_entry: each,
    reverse_each: async (on, block) => {
      await mapped(on.toReversed(), block);
      return on;
    },
    map,
    collect: map,
    flat_map: flatMap,
    collect_concat: flatMap,
    select,
    filter: select,
    find_all: select,
    reject: (on, block) => filtered(on, block, false),
    filter_map: async (on, block) => (await mapped(on, block)).filter(truthy),
    find,
    detect: find,
    find_index: async (on, block) => indexOrNil(await indexOf(on, block)),
    index: async (on, block) => indexOrNil(await indexOf(on, block)),
    each_with_index: async (on, block) => {
      for (const [index, item] of on.entries()) await block.call([item, BigInt(index)]);
      return on;
    },
    each_index: async (on, block) => {
      for (const index of on.keys()) await block.call([BigInt(index)]);
      return on;
    },
    "any?": async (on, block) => (await indexOf(on, block)) !== -1,
    "all?": async (on, block) => (await indexOf(on, block, false)) === -1,
    "none?": async (on, block) => (await indexOf(on, block)) === -1,
    "one?": async (on, block) => (await filtered(on, block)).length === 1,
    count: async (on, block) => BigInt((await filtered(on, block)).length),
    partition: async (on, block) => {
      const items = [...on];
      const results = await mapped(items, block);
      return [true, false].map((wanted) => items.filter((_item, index) => truthy(results[index]!) === wanted));
    },
    group_by: groupBy,
    sort_by: sortBy,
    sort: sortWith,
    min_by: async (on, block) => (await sortBy(on, block))[0] ?? null,
    max_by: async (on, block) => {
      const keys = await mapped(on, block);
      const greatest = sorted(keys).at(-1);
      return greatest === undefined ? null : on[keys.indexOf(greatest)]!;
    },
    uniq: async (on, block) => unique(on, await mapped(on, block)),
    sum: async (on, block) => sum(await mapped(on, block), []),
    to_h: async (on, block) => toHash(await mapped(on, block)),
    index_with: async (on, block) => {
      const values = await mapped(on, block);
      return new RubyHash(on.map((item, index) => [item, values[index]!]));
    },
    index_by: async (on, block) => {
      const keys = await mapped(on, block);
      return new RubyHash(on.map((item, index) => [keys[index]!, item]));
    },
    take_while: async (on, block) => {
      const end = await indexOf(on, block, false);
      return end === -1 ? [...on] : on.slice(0, end);
    },
    drop_while: async (on, block) => {
      const start = await indexOf(on, block, false);
      return start === -1 ? [] : on.slice(start);
    },
  },
  one: {
    each_slice: async (on, block, args) => {
      const parts = slices(on, args);
      if (!parts) return undefined;
      await mapped(parts, block);
      return on;
    },
    each_with_object: async (on, block, [object]) => {
      for (const item of on) await block.call([item, object!]);
      return object!;
    },
  },
  upToOne: { inject: reduce, reduce },
});
