import type { Secret } from "../config/env/secret.ts";
import { Mask } from "./mask.ts";

/** All secrets of one run: those that the configuration and `.env` name, and those that were resolved later. */
export class KnownSecrets {
  private readonly secrets: () => Iterable<Secret>;
  private current = { count: -1, mask: new Mask([]), values: new Set<string>() };

  /** @param secrets the run's secrets at the moment of the call. Their number only grows */
  constructor(secrets: () => Iterable<Secret>) {
    this.secrets = secrets;
  }

  /** @param own secrets of one script alone: a literal password, a variable of the command line */
  mask(own: readonly Secret[]): Mask {
    const { mask, values } = this.upToDate();
    const more = own.filter((secret) => !values.has(secret.reveal()));
    return more.length === 0 ? mask : new Mask(more, mask);
  }

  /** Masks a message of the run. */
  text(text: string): string {
    return this.upToDate().mask.text(text);
  }

  private upToDate() {
    const secrets = [...this.secrets()];
    if (secrets.length !== this.current.count) {
      const values = new Set(secrets.map((secret) => secret.reveal()));
      this.current = { count: secrets.length, mask: new Mask(secrets), values };
    }
    return this.current;
  }
}
