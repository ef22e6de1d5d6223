import { ConfigError } from "../../errors.ts";
import { combined } from "./environment.ts";
import { Secret } from "./secret.ts";
import { isReserved, RESERVED, TOO_LONG, tooLong } from "../limits.ts";
import type { Variables } from "./variables.ts";

/** A variable that is needed, and the key of the configuration that requires it: `env/secret`. */
export interface Need {
  readonly name: string;
  readonly requiredBy: string;
  /** Whether an empty value is an error too. */
  readonly filled?: true;
}

/** Bytes of all variables of one docker command together. The limit of Linux is 2 MiB, with the arguments. */
const MOST_BYTES_TOGETHER = 1_900_000;

/** Reads secrets, each when it is first needed: from `.env` and the process, or from `.kamal/secrets`. */
export class Secrets {
  private readonly environment: Variables;
  private readonly known = new Map<string, Secret>();

  constructor(environment: Variables) {
    this.environment = environment;
  }

  /** The secrets that this run has read so far, to mask them. */
  get resolved(): readonly Secret[] {
    return [...this.known.values()];
  }

  /**
   * The values by name. Commands in `.env` run concurrently.
   * @throws ConfigError with a line for every name that is missing or cannot be used, and for every command that failed
   */
  async resolve(needs: Iterable<Need>): Promise<ReadonlyMap<string, Secret>> {
    const keys = new Map<string, string[]>();
    const filled = new Set<string>();
    for (const { name, requiredBy, filled: mustBe } of needs) {
      keys.set(name, [...(keys.get(name) ?? []), requiredBy]);
      if (mustBe) filled.add(name);
    }
    const names = [...keys.keys()];
    const found = await Promise.allSettled(names.map(async (name) => this.environment.get(name)));
    const secrets = new Map<string, Secret>();
    const failures = found.flatMap((result, index): unknown[] => {
      if (result.status === "rejected") return [result.reason];
      const name = names[index]!;
      const problem =
        problemWith(name, result.value, this.environment.whyMissing) ??
        (filled.has(name) && result.value === "" ? "is empty" : undefined);
      if (problem) {
        const requiredBy = [...new Set(keys.get(name))].join(", ");
        return [new ConfigError([`${name} ${problem} (required by ${requiredBy})`])];
      }
      const secret = this.known.get(name) ?? new Secret(name, result.value!);
      this.known.set(name, secret);
      secrets.set(name, secret);
      return [];
    });
    failures.push(...tooMuchTogether(keys, secrets));
    if (failures.length > 0) throw combined(failures);
    return secrets;
  }
}

/** @param keys the keys of the configuration that require a variable, by its name */
function tooMuchTogether(
  keys: ReadonlyMap<string, readonly string[]>,
  secrets: ReadonlyMap<string, Secret>,
): ConfigError[] {
  const sizes = new Map<string, number>();
  for (const [name, secret] of secrets) {
    for (const key of new Set(keys.get(name)))
      sizes.set(key, (sizes.get(key) ?? 0) + name.length + Buffer.byteLength(secret.reveal()));
  }
  return [...sizes]
    .filter(([, bytes]) => bytes > MOST_BYTES_TOGETHER)
    .map(([key, bytes]) => {
      const text = `${key}: its secrets have ${bytes} bytes together, more than the ${MOST_BYTES_TOGETHER} a command can take`;
      return new ConfigError([text]);
    });
}

function problemWith(name: string, value: string | undefined, missing = "is not set"): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return "cannot be a secret: a name has letters, digits and _, and no digit in front";
  }
  if (isReserved(name)) return `cannot be a secret: ${RESERVED}`;
  if (value === undefined) return missing;
  if (value.includes("\0")) return "cannot be used: it has a NUL byte in it";
  return tooLong(`${name}=${value}`) ? `cannot be used: ${TOO_LONG}` : undefined;
}
