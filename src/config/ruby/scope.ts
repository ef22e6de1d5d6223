import type { RubyValue } from "./ruby-values.ts";

/** The local variables of the program, of a block or of a method. A block sees those of the scope around it. */
export class Scope {
  private readonly variables = new Map<string, RubyValue>();
  private readonly outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.outer = outer;
  }

  /** @param depth how many blocks the variable's own scope is above this one */
  get(name: string, depth = 0): RubyValue {
    return this.at(depth).variables.get(name) ?? null;
  }

  set(name: string, value: RubyValue, depth = 0): RubyValue {
    this.at(depth).variables.set(name, value);
    return value;
  }

  private at(depth: number): Scope {
    return depth > 0 && this.outer ? this.outer.at(depth - 1) : this;
  }
}
