import { isList, RubyHash, type RubyValue } from "./ruby-values.ts";

/** A program would run for too long, or a value would fill the memory. */
export class TooMuch extends Error {}

/** Size of one value: its characters, digits or items, with those of its items. */
const MOST_SIZE = 1_000_000;

const MOST_DIGITS = 10_000;
const MOST_DEPTH = 100;
const MOST_WORK = 20_000_000;

/** Of an evaluated node or an iteration, next to the size of its value: half a million of them take seconds. */
const STEP = 50;

/** The limits of one template. An evaluation charges every value that it makes or walks through, and every iteration. */
export class Budget {
  private spent = 0;

  /** @throws TooMuch */
  charge(value: RubyValue): void {
    const size = sizeOf(value);
    if (typeof value === "bigint") checkDigits(size);
    this.spent += STEP + size;
    if (this.spent > MOST_WORK) throw new TooMuch("this and what precedes it take too many steps");
  }
}

/** Lists can change, and contain themselves: the walk ends at the limits. @throws TooMuch */
function sizeOf(value: RubyValue): number {
  let size = ownSize(value);
  const walk = (items: Iterable<RubyValue>, depth: number): void => {
    if (depth > MOST_DEPTH) throw new TooMuch(`lists are nested more than ${MOST_DEPTH} levels deep`);
    for (const item of items) {
      size += ownSize(item);
      if (size > MOST_SIZE) checkSize(size);
      if (isList(item)) walk(item, depth + 1);
      else if (item instanceof RubyHash) walk(item.pairs().flat(), depth + 1);
    }
  };
  if (isList(value)) walk(value, 1);
  else if (value instanceof RubyHash) walk(value.pairs().flat(), 1);
  else checkSize(size);
  return size;
}

function ownSize(value: RubyValue): number {
  if (typeof value === "string") return value.length + 1;
  if (typeof value !== "bigint" || (value < 0xffffn && value > -0xffffn)) return 1;
  return value.toString(16).length;
}

/** To be called before a value of this size is made. @throws TooMuch */
export function checkSize(size: number): void {
  if (size > MOST_SIZE) throw new TooMuch(`the value gets larger than ${MOST_SIZE} characters`);
}

/** To be called before a number with so many digits is made. @throws TooMuch */
export function checkDigits(digits: number): void {
  if (digits > MOST_DIGITS) throw new TooMuch(`the number gets longer than ${MOST_DIGITS} digits`);
}
