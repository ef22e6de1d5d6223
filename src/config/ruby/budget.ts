import type { RubyValue } from "./ruby-values.ts";

/** A program that would not come to an end soon, or a value that would fill the memory. */
export class TooMuch extends Error {}

/** Of one value: characters, digits, items, those of its items included. */
const MOST_SIZE = 1_000_000;

const MOST_DIGITS = 10_000;
const MOST_DEPTH = 100;
const MOST_WORK = 20_000_000;

/** What one template may use. Everything that an evaluation makes or goes through is charged here. */
export class Budget {
  private spent = 0;
  private readonly lists = new WeakMap<readonly RubyValue[], { readonly size: number; readonly depth: number }>();

  /** @throws TooMuch */
  charge(value: RubyValue): void {
    const { size, depth } = this.measure(value);
    if (typeof value === "bigint") checkDigits(size);
    checkSize(size);
    if (depth > MOST_DEPTH) throw new TooMuch(`there are more than ${MOST_DEPTH} lists inside each other`);
    this.spent += size;
    if (this.spent > MOST_WORK) throw new TooMuch("this and what precedes it take too many steps");
  }

  /** Of a list that is known already, without going through it. */
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

/** Before something of this size is made. @throws TooMuch */
export function checkSize(size: number): void {
  if (size > MOST_SIZE) throw new TooMuch(`the value gets larger than ${MOST_SIZE} characters`);
}

/** Before a number of so many digits is made. @throws TooMuch */
export function checkDigits(digits: number): void {
  if (digits > MOST_DIGITS) throw new TooMuch(`the number gets longer than ${MOST_DIGITS} digits`);
}
