import type { RubyValue } from "./ruby-values.ts";

/** A program would run for too long, or a value would fill the memory. */
export class TooMuch extends Error {}

/** Size of one value: its characters, digits or items, with those of its items. */
const MOST_SIZE = 1_000_000;

const MOST_DIGITS = 10_000;
const MOST_DEPTH = 100;
const MOST_WORK = 20_000_000;

/** The limits of one template. An evaluation charges every value that it makes or walks through. */
export class Budget {
  private spent = 0;
  private readonly lists = new WeakMap<readonly RubyValue[], { readonly size: number; readonly depth: number }>();

  /** @throws TooMuch */
  charge(value: RubyValue): void {
    const { size, depth } = this.measure(value);
    if (typeof value === "bigint") checkDigits(size);
    checkSize(size);
    if (depth > MOST_DEPTH) throw new TooMuch(`lists are nested more than ${MOST_DEPTH} levels deep`);
    this.spent += size;
    if (this.spent > MOST_WORK) throw new TooMuch("this and what precedes it take too many steps");
  }

  /** Walks through a list only once. */
  private measure(value: RubyValue): { readonly size: number; readonly depth: number } {
    if (typeof value === "string") return { size: value.length + 1, depth: 0 };
    if (typeof value === "bigint") return { size: value.toString(16).length, depth: 0 };
    if (!Array.isArray(value)) return { size: 1, depth: 0 };
    const list = value as readonly RubyValue[];
    const known = this.lists.get(list);
    if (known) return known;
    const measured = { size: 1, depth: 1 };
    for (const item of list) {
      const { size, depth } = this.measure(item);
      measured.size += size;
      measured.depth = Math.max(measured.depth, depth + 1);
    }
    this.lists.set(list, measured);
    return measured;
  }
}

/** To be called before a value of this size is made. @throws TooMuch */
export function checkSize(size: number): void {
  if (size > MOST_SIZE) throw new TooMuch(`the value gets larger than ${MOST_SIZE} characters`);
}

/** To be called before a number with so many digits is made. @throws TooMuch */
export function checkDigits(digits: number): void {
  if (digits > MOST_DIGITS) throw new TooMuch(`the number gets longer than ${MOST_DIGITS} digits`);
}
