import { ConfigError } from "../../errors.ts";
import { together } from "./environment.ts";
import { Secret } from "./secret.ts";
import { isTaken, TAKEN, TOO_LONG, tooLong } from "../limits.ts";
import type { Variables } from "./variables.ts";

export { type LocalEnvironment, loadEnvironment } from "./environment.ts";

/** A variable somebody needs, and where the config asks for it: `env/secret`. */
export interface Need {
  readonly name: string;
  readonly askedBy: string;
  /** An empty value is as bad as none. */
  readonly filled?: true;
}

/** Bytes of all variables of one docker command together: Linux takes 2 MiB, arguments and all. */
const MOST_BYTES_TOGETHER = 1_900_000;

/** Looks secrets up in `.env` and the process, when they are needed and not before. */
export class Secrets {
  private readonly environment: Variables;
  private readonly known = new Map<string, Secret>();

  constructor(environment: Variables) {
    this.environment = environment;
  }

  /** What this run has looked up so far: nothing that it prints may show them. */
  get resolved(): readonly Secret[] {
    return [...this.known.values()];
  }

  /**
   * The values by name. Commands in `.env` run at the same time.
   * @throws ConfigError with a line for every name that is missing or cannot be used, and for every command that failed
   */
  async resolve(needs: Iterable<Need>): Promise<ReadonlyMap<string, Secret>> {
    const askers = new Map<string, string[]>();
    const filled = new Set<string>();
    for (const { name, askedBy, filled: mustBe } of needs) {
      askers.set(name, [...(askers.get(name) ?? []), askedBy]);
      if (mustBe) filled.add(name);
    }
    const names = [...askers.keys()];
    const found = await Promise.allSettled(names.map(async (name) => this.environment.get(name)));
    const secrets = new Map<string, Secret>();
    const failures = found.flatMap((result, index): unknown[] => {
      if (result.status === "rejected") return [result.reason];
      const name = names[index]!;
      const problem =
        problemWith(name, result.value) ?? (filled.has(name) && result.value === "" ? "is empty" : undefined);
      if (problem) {
        const asked = [...new Set(askers.get(name))].join(", ");
        return [new ConfigError([`${name} ${problem} (asked for by ${asked})`])];
      }
      const secret = this.known.get(name) ?? new Secret(name, result.value!);
      this.known.set(name, secret);
      secrets.set(name, secret);
      return [];
    });
    failures.push(...tooMuchTogether(askers, secrets));
    if (failures.length > 0) throw together(failures);
    return secrets;
  }
}

/** @param askers who asks, by name */
function tooMuchTogether(
  askers: ReadonlyMap<string, readonly string[]>,
  secrets: ReadonlyMap<string, Secret>,
): ConfigError[] {
  const sizes = new Map<string, number>();
  for (const [name, secret] of secrets) {
    for (const asker of new Set(askers.get(name)))
      sizes.set(asker, (sizes.get(asker) ?? 0) + name.length + Buffer.byteLength(secret.reveal()));
  }
  return [...sizes]
    .filter(([, bytes]) => bytes > MOST_BYTES_TOGETHER)
    .map(([asker, bytes]) => {
      const text = `${asker}: its secrets have ${bytes} bytes together, more than the ${MOST_BYTES_TOGETHER} a command can take`;
      return new ConfigError([text]);
    });
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
