import { inspect } from "node:util";

/** Replaces a secret in everything that is printed or logged. */
export const REDACTED = "[REDACTED]";

/** A value that cannot be printed by accident: only `reveal()` returns it. */
export class Secret {
  readonly #value: string;
  /** Its name for the user: the name of a variable, or a description such as `registry password`. */
  readonly name: string;

  constructor(name: string, value: string) {
    this.name = name;
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
