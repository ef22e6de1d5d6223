import { dig } from "./lists.ts";
import { blockMethods, methods } from "./method-table.ts";
import {
  isList,
  Refused,
  RubyException,
  RubyHash,
  type RubyProc,
  RubySymbol,
  type RubyValue,
  same,
  toText,
  truthy,
} from "./ruby-values.ts";

function keys(on: RubyHash): RubyValue[] {
  return on.pairs().map(([key]) => key);
}

function values(on: RubyHash): RubyValue[] {
  return on.pairs().map(([, value]) => value);
}

/** Changes `on` itself. */
function update(on: RubyHash, others: readonly RubyValue[]): RubyHash | undefined {
  if (!others.every((other) => other instanceof RubyHash)) return undefined;
  for (const [key, value] of others.flatMap((other) => other.pairs())) on.set(key, value);
  return on;
}

function merge(on: RubyHash, others: readonly RubyValue[]): RubyHash | undefined {
  return update(new RubyHash(on.pairs()), others);
}

function deepMerge(on: RubyHash, [other]: readonly RubyValue[]): RubyHash | undefined {
  if (!(other instanceof RubyHash)) return undefined;
  const merged = new RubyHash(on.pairs());
  for (const [key, value] of other.pairs()) {
    const below = on.get(key);
    const both = below instanceof RubyHash && value instanceof RubyHash;
    merged.set(key, both ? deepMerge(below, [value])! : value);
  }
  return merged;
}

function filtered(on: RubyHash, keep: (key: RubyValue, value: RubyValue) => boolean): RubyHash {
  return new RubyHash(on.pairs().filter(([key, value]) => keep(key, value)));
}

function withKeys(on: RubyHash, change: (key: RubyValue) => RubyValue, deep = false): RubyHash {
  const changed = (value: RubyValue): RubyValue => {
    if (value instanceof RubyHash && deep) return withKeys(value, change, true);
    return isList(value) && deep ? value.map(changed) : value;
  };
  return new RubyHash(on.pairs().map(([key, value]) => [change(key), changed(value)]));
}

function symbol(key: RubyValue): RubyValue {
  return typeof key === "string" ? new RubySymbol(key) : key;
}

function text(key: RubyValue): RubyValue {
  return key instanceof RubySymbol ? key.name : toText(key);
}

function has(on: RubyHash, [key]: readonly RubyValue[]): boolean {
  return on.get(key!) !== undefined;
}

function store(on: RubyHash, [key, value]: readonly RubyValue[]): RubyValue {
  on.set(key!, value!);
  return value!;
}

export const HASH = methods<RubyHash>({
  none: {
    "empty?": (on) => on.size === 0,
    length: (on) => BigInt(on.size),
    size: (on) => BigInt(on.size),
    keys,
    values,
    to_h: (on) => on,
    to_hash: (on) => on,
    invert: (on) => new RubyHash(on.pairs().map(([key, value]) => [value, key])),
    compact: (on) => filtered(on, (_key, value) => value !== null),
    symbolize_keys: (on) => withKeys(on, symbol),
    stringify_keys: (on) => withKeys(on, text),
    deep_symbolize_keys: (on) => withKeys(on, symbol, true),
    deep_stringify_keys: (on) => withKeys(on, text, true),
  },
  one: {
    "[]": (on, [key]) => on.get(key!) ?? null,
    "key?": has,
    "has_key?": has,
    "include?": has,
    "member?": has,
    "value?": (on, [value]) => values(on).some((one) => same(one, value!)),
    "has_value?": (on, [value]) => values(on).some((one) => same(one, value!)),
    key: (on, [value]) => on.pairs().find(([, one]) => same(one, value!))?.[0] ?? null,
    deep_merge: deepMerge,
    delete: (on, [key]) => {
      const value = on.get(key!) ?? null;
      on.delete(key!);
      return value;
    },
  },
  two: { "[]=": store, store },
  oneOrTwo: {
    fetch: (on, [key, fallback]) => {
      const value = on.get(key!) ?? fallback;
      if (value === undefined) throw new Refused("the hash has no such key", new RubyException("KeyError"));
      return value;
    },
  },
  any: {
    merge,
    update,
    "merge!": update,
    dig,
    slice: (on, wanted) => filtered(on, (key) => wanted.some((one) => same(one, key))),
    except: (on, unwanted) => filtered(on, (key) => !unwanted.some((one) => same(one, key))),
    values_at: (on, wanted) => wanted.map((key) => on.get(key) ?? null),
  },
});

async function select(on: RubyHash, block: RubyProc, wanted = true): Promise<RubyHash> {
  const kept = new RubyHash();
  for (const [key, value] of on.pairs()) {
    if (truthy(await block.call([key, value])) === wanted) kept.set(key, value);
  }
  return kept;
}

async function each(on: RubyHash, block: RubyProc): Promise<RubyHash> {
  for (const pair of on.pairs()) await block.call([pair]);
  return on;
}

/** The methods that differ from those of a list of pairs. */
export const HASH_BLOCKS = blockMethods<RubyHash>({
  none: {
    each,
    each_pair: each,
    select: (on, block) => select(on, block),
    filter: (on, block) => select(on, block),
    reject: (on, block) => select(on, block, false),
    each_key: async (on, block) => {
      for (const key of keys(on)) await block.call([key]);
      return on;
    },
    each_value: async (on, block) => {
      for (const value of values(on)) await block.call([value]);
      return on;
    },
    transform_values: async (on, block) => {
      const changed = new RubyHash();
      for (const [key, value] of on.pairs()) changed.set(key, await block.call([value]));
      return changed;
    },
    transform_keys: async (on, block) => {
      const changed = new RubyHash();
      for (const [key, value] of on.pairs()) changed.set(await block.call([key]), value);
      return changed;
    },
  },
  one: {
    fetch: async (on, block, [key]) => on.get(key!) ?? block.call([key!]),
  },
});
