import { ConfigError } from "../../errors.ts";
import { checkDestination } from "../destination.ts";
import { type Part, partsOfCommand } from "./dotenv.ts";
import { type EnvFile, type Located, namesIn, placeOf, readEnvFile } from "./env-file.ts";
import { TOO_LONG, tooLong } from "../limits.ts";
import { LocalCommandError, localCommand } from "./local-command.ts";
import type { Variables } from "./variables.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Of all values of the files together. Commands get them as their environment, for which Linux has a limit of 2 MiB. */
const MOST_CHARACTERS = 1_900_000;

/**
 * Reads `.env.DESTINATION` and `.env` of `cwd`, if they exist. Variables of the process win over both files, and the
 * destination's file wins over `.env`. The `$(command)` of a value runs when the value is first needed.
 * @throws ConfigError naming every file that cannot be read
 */
export async function loadEnvironment({
  cwd,
  destination,
  processEnvironment,
}: {
  cwd: string;
  destination: string | undefined;
  processEnvironment: Environment;
}): Promise<LocalEnvironment> {
  const environment = new LocalEnvironment(cwd, processEnvironment);
  const names = [...(destination === undefined ? [] : [`.env.${checkDestination(destination)}`]), ".env"];
  const failures = names.flatMap((name): unknown[] => {
    try {
      environment.load(name);
      return [];
    } catch (error) {
      return [error];
    }
  });
  if (failures.length > 0) throw combined(failures);
  return environment;
}

/** The variables of the process and of `.env` files. Each `$(command)` runs at most once, when its value is first needed. */
export class LocalEnvironment implements Variables {
  private readonly cwd: string;
  private readonly process: Map<string, string>;
  private readonly removed = new Set<string>();
  private readonly files: EnvFile[] = [];
  private readonly values = new Map<Located, Promise<string>>();
  private characters = 0;

  constructor(cwd: string, processEnvironment: Environment) {
    this.cwd = cwd;
    this.process = new Map(
      Object.entries(processEnvironment).filter((pair): pair is [string, string] => pair[1] !== undefined),
    );
  }

  /** @throws ConfigError if a `$(command)` of the value fails */
  async get(name: string): Promise<string | undefined> {
    const given = this.process.get(name);
    if (given !== undefined || this.removed.has(name)) return given;
    const found = this.find(name);
    return found && this.value(found);
  }

  inFile(name: string): boolean {
    return this.find(name) !== undefined;
  }

  assign(name: string, value: string | undefined): void {
    if (value === undefined) {
      this.process.delete(name);
      this.removed.add(name);
    } else {
      this.process.set(name, value);
      this.removed.delete(name);
    }
  }

  load(path: string): boolean {
    const known = this.files.some(({ name }) => name === path);
    const file = known ? undefined : readEnvFile(this.cwd, path);
    if (file) this.files.push(file);
    return known || file !== undefined;
  }

  /**
   * The environment of commands: every variable of the files whose value needs no command, and the process' own.
   * @throws ConfigError as `get`, for all that fail
   */
  async forCommands(): Promise<Readonly<Record<string, string>>> {
    const needing = this.needingCommands();
    const chosen = new Map<string, Promise<string>>();
    for (const located of this.files.flatMap((file) => file.last())) {
      const { name } = located.entry;
      const taken = chosen.has(name) || this.process.has(name) || this.removed.has(name);
      if (!taken && !needing.has(located)) chosen.set(name, this.value(located));
    }
    const settled = await Promise.allSettled(chosen.values());
    const failures = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length > 0) throw combined(failures);
    const names = [...chosen.keys()];
    const values = settled.map((result, index): [string, string] => [
      names[index]!,
      result.status === "fulfilled" ? result.value : "",
    ]);
    return Object.fromEntries([...values, ...this.process]);
  }

  /** Runs every command of the files, as Ruby's dotenv does. @throws ConfigError for all that fail */
  async all(): Promise<Readonly<Record<string, string>>> {
    const names = this.names().filter((name) => !this.removed.has(name));
    const settled = await Promise.allSettled(names.map(async (name) => [name, (await this.get(name)) ?? ""] as const));
    const failures = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length > 0) throw combined(failures);
    const values = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    return Object.fromEntries([...values, ...this.process]);
  }

  /** The names of all variables that a file sets. */
  names(): string[] {
    return [...new Set(this.files.flatMap(({ entries }) => entries.map(({ entry }) => entry.name)))];
  }

  /**
   * A sentence for each value that loses a part of its text, since a `$NAME` in it is not set. Contains no part of the
   * value, which may be a secret.
   */
  get notes(): string[] {
    const used = this.files.flatMap(({ entries }) => entries).filter(({ entry }) => !this.process.has(entry.name));
    const losing = used.filter((located) => namesIn(located).some((name) => this.missing(name, located)));
    return losing.map((located) => `${placeOf(located)}: ${located.entry.name}: ${LOST}, write ${quotedForm(located)}`);
  }

  private missing(name: string, user: Located): boolean {
    return !this.process.has(name) && this.find(name, user) === undefined;
  }

  /**
   * The entries that contain a command, or use an entry that does. An entry can use only those above it, so one pass finds
   * all.
   */
  private needingCommands(): ReadonlySet<Located> {
    const needing = new Set<Located>();
    for (const located of this.files.flatMap(({ entries }) => entries)) {
      const needs = located.parts.some((part) => {
        if (part.kind !== "variable" || this.process.has(part.name)) return part.kind === "command";
        const used = this.find(part.name, located);
        return used !== undefined && needing.has(used);
      });
      if (needs) needing.add(located);
    }
    return needing;
  }

  /** The entry of that name which the entry `user` sees: in an earlier file, or above it in its file. Without `user`, in any. */
  private find(name: string, user?: Located): Located | undefined {
    for (const file of this.files) {
      const found = file.find(name, file === user?.file ? user.index : undefined);
      if (found || file === user?.file) return found;
    }
    return undefined;
  }

  /** Expands the entries that it uses before it, in a loop: a long chain of uses causes no deep recursion. */
  private value(located: Located): Promise<string> {
    const known = this.values.get(located);
    if (known) return known;
    for (const used of this.usedBy(located)) {
      if (this.values.has(used)) continue;
      const value = this.expand(used.parts, used);
      // The failure is reported where the value is used.
      value.catch(() => undefined);
      this.values.set(used, value);
    }
    return this.values.get(located)!;
  }

  /** The entry, and those that it uses and whose value is not known yet, each after the entries that it uses itself. */
  private usedBy(located: Located): Located[] {
    const found = new Set<Located>([located]);
    for (const user of found) {
      for (const name of namesIn(user)) {
        const used = this.process.has(name) ? undefined : this.find(name, user);
        if (used && !this.values.has(used)) found.add(used);
      }
    }
    const order = new Map(this.files.map((file, index) => [file, index]));
    return [...found].toSorted((a, b) => order.get(a.file)! - order.get(b.file)! || a.index - b.index);
  }

  private async expand(parts: readonly Part[], at: Located): Promise<string> {
    const texts = await Promise.all(
      parts.map(async (part) => {
        if (part.kind === "text") return part.text;
        if (part.kind === "command") return this.command(part.command, at);
        const used = this.find(part.name, at);
        return this.process.get(part.name) ?? (used ? this.value(used) : "");
      }),
    );
    const { name } = at.entry;
    this.characters += texts.reduce((total, text) => total + text.length, 0);
    if (this.characters > MOST_CHARACTERS) {
      const message = `the values up to here have more than ${MOST_CHARACTERS} characters together`;
      throw new ConfigError([`${placeOf(at)}: ${name}: ${message}`]);
    }
    const value = texts.join("");
    if (!tooLong(`${name}=${value}`)) return value;
    throw new ConfigError([`${placeOf(at)}: ${name}: ${TOO_LONG}: put it into a file of the image or of an accessory`]);
  }

  private async command(command: string, at: Located): Promise<string> {
    const line = await this.expand(partsOfCommand(command), at);
    try {
      const environment = Object.fromEntries(this.process);
      return (await localCommand(line, { cwd: this.cwd, environment })).replace(/\r?\n$/, "");
    } catch (error) {
      if (!(error instanceof LocalCommandError)) throw error;
      throw new ConfigError([`${placeOf(at)}: ${at.entry.name}: $(${command}) ${error.message}`], {
        cause: error,
      });
    }
  }
}

const LOST = "a $name in the value is not set, so this part of the value is lost: for a literal dollar sign";

function quotedForm({ entry, parts }: Located): string {
  return parts.some(({ kind }) => kind === "command") ? "\\$" : `${entry.name}='…' with single quotes`;
}

/** One ConfigError of several; the first failure that is no ConfigError, if there is one. */
export function combined(failures: readonly unknown[]): unknown {
  const known = failures.filter((failure) => failure instanceof ConfigError);
  if (known.length < failures.length) return failures.find((failure) => !(failure instanceof ConfigError));
  return new ConfigError([...new Set(known.flatMap(({ problems }) => problems))]);
}
