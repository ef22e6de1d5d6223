import { inspect } from "node:util";

/** What stands for a secret in everything that is shown or logged. */
export const REDACTED = "[REDACTED]";

/** A value that nothing prints by accident: only `reveal()` gives it, and only the script renderer and tests call that. */
export class Secret {
  readonly #value: string;
  /** What the user calls it: an environment variable's name, or e.g. `registry password`. */
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
