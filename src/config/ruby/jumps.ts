import type { RubyValue } from "./ruby-values.ts";

/** `next` in a block or a loop. */
export class NextJump extends Error {
  readonly value: RubyValue;

  constructor(value: RubyValue) {
    super("next outside of a block");
    this.value = value;
  }
}

/** `break`: leaves the loop, or the call whose block it is in. */
export class BreakJump extends Error {
  readonly target: object;
  readonly value: RubyValue;

  constructor(target: object, value: RubyValue) {
    super("break outside of a block");
    this.target = target;
    this.value = value;
  }
}

/** `return` in a method or a lambda. */
export class ReturnJump extends Error {
  readonly value: RubyValue;

  constructor(value: RubyValue) {
    super("return outside of a method");
    this.value = value;
  }
}
