import { isList, RubyHash, type RubyValue } from "./ruby-values.ts";

/** A program would run for too long, or a value would fill the memory. */
export class TooMuch extends Error {}

/** Size of one value: its characters, digits or items, with those of its items. */
const MOST_SIZE = 1_000_000;

const MOST_DIGITS = 10_000;
const MOST_DEPTH = 100;
const MOST_WORK = 20_000_000;

/** Of an evaluated node or an iteration, next to the size of its value: a million of them take seconds. */
const STEP = 20;

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
  let size = 0;
  const walk = (part: RubyValue, depth: number): void => {
    size += ownSize(part);
    checkSize(size);
    const items = isList(part) ? part : part instanceof RubyHash ? part.pairs().flat() : [];
    if ((isList(part) || part instanceof RubyHash) && depth >= MOST_DEPTH)
      throw new TooMuch(`lists are nested more than ${MOST_DEPTH} levels deep`);
    for (const item of items) walk(item, depth + 1);
  };
  walk(value, 0);
  return size;
}

function ownSize(value: RubyValue): number {
  if (typeof value === "string") return value.length + 1;
  return typeof value === "bigint" ? value.toString(16).length : 1;
}

/** To be called before a value of this size is made. @throws TooMuch */
export function checkSize(size: number): void {
  if (size > MOST_SIZE) throw new TooMuch(`the value gets larger than ${MOST_SIZE} characters`);
}

/** To be called before a number with so many digits is made. @throws TooMuch */
export function checkDigits(digits: number): void {
  if (digits > MOST_DIGITS) throw new TooMuch(`the number gets longer than ${MOST_DIGITS} digits`);
}
