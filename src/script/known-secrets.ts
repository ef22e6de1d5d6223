import type { Secret } from "../config/env/secret.ts";
import { Mask } from "./mask.ts";

/** All that one run knows and must not show: what the configuration and `.env` name, and what has been looked up since. */
export class KnownSecrets {
  private readonly secrets: () => Iterable<Secret>;
  private current = { count: -1, mask: new Mask([]), values: new Set<string>() };

  /** @param secrets those of the run by now; they only become more */
  constructor(secrets: () => Iterable<Secret>) {
    this.secrets = secrets;
  }

  /** @param own what only one script has: a password written out, a variable of the command line */
  mask(own: readonly Secret[]): Mask {
    const { mask, values } = this.upToDate();
    const more = own.filter((secret) => !values.has(secret.reveal()));
    return more.length === 0 ? mask : new Mask(more, mask);
  }

  /** For what is written in the run's own words. */
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
