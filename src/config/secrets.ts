import { ConfigError } from "../errors.ts";
import { together } from "./environment.ts";
import { Secret } from "./secret.ts";
import { isTaken, TAKEN, TOO_LONG, tooLong } from "./limits.ts";
import type { Variables } from "./variables.ts";

export { type LocalEnvironment, loadEnvironment } from "./environment.ts";

/** A variable somebody needs, and where the config asks for it: `env/secret`. */
export interface Need {
  readonly name: string;
  readonly askedBy: string;
}

/** Looks secrets up in `.env` and the process, when they are needed and not before. */
export class Secrets {
  private readonly environment: Variables;

  constructor(environment: Variables) {
    this.environment = environment;
  }

  /**
   * The values by name. Commands in `.env` run at the same time.
   * @throws ConfigError with a line for every name that is missing or cannot be used, and for every command that failed
   */
  async resolve(needs: Iterable<Need>): Promise<ReadonlyMap<string, Secret>> {
    const askers = new Map<string, string[]>();
    for (const { name, askedBy } of needs) askers.set(name, [...(askers.get(name) ?? []), askedBy]);
    const names = [...askers.keys()];
    const found = await Promise.allSettled(names.map(async (name) => this.environment.get(name)));
    const secrets = new Map<string, Secret>();
    const failures = found.flatMap((result, index): unknown[] => {
      if (result.status === "rejected") return [result.reason];
      const name = names[index]!;
      const problem = problemWith(name, result.value);
      if (problem) {
        const asked = [...new Set(askers.get(name))].join(", ");
        return [new ConfigError([`${name} ${problem} (asked for by ${asked})`])];
      }
      secrets.set(name, new Secret(name, result.value!));
      return [];
    });
    if (failures.length > 0) throw together(failures);
    return secrets;
  }
}

function problemWith(name: string, value: string | undefined): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return "cannot be a secret: a name has letters, digits and _, and no digit in front";
  }
  if (isTaken(name)) return `cannot be a secret: ${TAKEN}`;
  if (value === undefined) return "is not set";
  if (value.includes("\0")) return "cannot be used: it has a NUL byte in it";
  return tooLong(`${name}=${value}`) ? `cannot be used: ${TOO_LONG}` : undefined;
}
