import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, asFileError } from "../errors.ts";
import { type DotenvEntry, type Part, partsOf, partsOfCommand, readDotenv } from "./dotenv.ts";
import { LocalCommandError, localCommand } from "./local-command.ts";
import type { Variables } from "./variables.ts";

interface EnvFile {
  readonly name: string;
  readonly entries: readonly DotenvEntry[];
}

/**
 * Reads `.env.DESTINATION` and `.env` of `cwd`, those that are there. What the process has wins over both, and the
 * destination's file over `.env`. A value with `$(command)` is not known before somebody asks for it.
 */
export async function loadEnvironment({
  cwd,
  destination,
  processEnvironment,
}: {
  cwd: string;
  destination: string | undefined;
  processEnvironment: Readonly<Record<string, string | undefined>>;
}): Promise<LocalEnvironment> {
  const names = [...(destination === undefined ? [] : [`.env.${destination}`]), ".env"];
  const files = names.map((name) => readEnvFile(cwd, name));
  return new LocalEnvironment(cwd, processEnvironment, files);
}

function readEnvFile(cwd: string, name: string): EnvFile {
  try {
    return { name, entries: readDotenv(readFileSync(join(cwd, name), "utf8")) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { name, entries: [] };
    throw asFileError(error, join(cwd, name));
  }
}

/** The variables of this machine. Each `$(command)` runs at most once, when its value is first asked for. */
export class LocalEnvironment implements Variables {
  private readonly cwd: string;
  private readonly process: Readonly<Record<string, string | undefined>>;
  private readonly files: readonly EnvFile[];
  private readonly values = new Map<DotenvEntry, Promise<string>>();

  constructor(
    cwd: string,
    processEnvironment: Readonly<Record<string, string | undefined>>,
    files: readonly EnvFile[],
  ) {
    this.cwd = cwd;
    this.process = processEnvironment;
    this.files = files;
  }

  /** @throws ConfigError when a `$(command)` of the value fails */
  async get(name: string): Promise<string | undefined> {
    return this.lookUp(name, this.files.length, 0);
  }

  /** Everything, every command run, with the process' own variables. @throws ConfigError as `get`, for all that fail */
  async all(): Promise<Readonly<Record<string, string>>> {
    return this.every(() => true);
  }

  /** As `all`, but without the values that need a command: what commands themselves run with. */
  async forCommands(): Promise<Readonly<Record<string, string>>> {
    return this.every((entry, file) => !this.needsCommand(entry, file));
  }

  /** Itself, or through a variable in it. */
  private needsCommand(entry: DotenvEntry, file: EnvFile): boolean {
    return partsOf(entry).some((part) => {
      if (part.kind !== "variable" || this.process[part.name] !== undefined) return part.kind === "command";
      const below = this.find(part.name, this.files.indexOf(file), file.entries.indexOf(entry));
      return below !== undefined && this.needsCommand(below.entry, below.file);
    });
  }

  private async every(
    wanted: (entry: DotenvEntry, file: EnvFile) => boolean,
  ): Promise<Readonly<Record<string, string>>> {
    const chosen = new Map<string, Promise<string>>();
    for (const file of this.files) {
      for (const entry of lastOfEach(file.entries)) {
        if (wanted(entry, file) && !chosen.has(entry.name) && this.process[entry.name] === undefined) {
          chosen.set(entry.name, this.value(entry, file));
        }
      }
    }
    const settled = await Promise.allSettled(chosen.values());
    const failures = settled.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    if (failures.length > 0) throw together(failures);
    const names = [...chosen.keys()];
    const values = settled.map((result, index): [string, string] => [
      names[index]!,
      result.status === "fulfilled" ? result.value : "",
    ]);
    const own = Object.entries(this.process).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return Object.fromEntries([...values, ...own]);
  }

  /** As a value in `files[fileIndex]` at `entryIndex` sees it: the process, files before, entries above. */
  private async lookUp(name: string, fileIndex: number, entryIndex: number): Promise<string | undefined> {
    const own = this.process[name];
    if (own !== undefined) return own;
    const found = this.find(name, fileIndex, entryIndex);
    return found && this.value(found.entry, found.file);
  }

  private find(name: string, fileIndex: number, entryIndex: number): { entry: DotenvEntry; file: EnvFile } | undefined {
    for (const [index, file] of this.files.slice(0, fileIndex + 1).entries()) {
      const visible = index < fileIndex ? file.entries : file.entries.slice(0, entryIndex);
      const entry = visible.findLast((candidate) => candidate.name === name);
      if (entry) return { entry, file };
    }
    return undefined;
  }

  private value(entry: DotenvEntry, file: EnvFile): Promise<string> {
    const known = this.values.get(entry);
    if (known) return known;
    const value = this.expand(partsOf(entry), entry, file);
    this.values.set(entry, value);
    return value;
  }

  private async expand(parts: readonly Part[], entry: DotenvEntry, file: EnvFile): Promise<string> {
    const texts = await Promise.all(
      parts.map(async (part) => {
        if (part.kind === "text") return part.text;
        if (part.kind === "command") return this.command(part.command, entry, file);
        return (await this.lookUp(part.name, this.files.indexOf(file), file.entries.indexOf(entry))) ?? "";
      }),
    );
    return texts.join("");
  }

  private async command(command: string, entry: DotenvEntry, file: EnvFile): Promise<string> {
    const line = await this.expand(partsOfCommand(command), entry, file);
    try {
      const environment = Object.fromEntries(
        Object.entries(this.process).filter((pair): pair is [string, string] => pair[1] !== undefined),
      );
      return (await localCommand(line, { cwd: this.cwd, environment })).replace(/\r?\n$/, "");
    } catch (error) {
      if (!(error instanceof LocalCommandError)) throw error;
      throw new ConfigError([`${file.name}:${entry.line}: ${entry.name}: $(${command}) ${error.message}`], {
        cause: error,
      });
    }
  }
}

function lastOfEach(entries: readonly DotenvEntry[]): Iterable<DotenvEntry> {
  return new Map(entries.map((entry) => [entry.name, entry])).values();
}

/** Several failures in one; what nobody explained stays what it is. */
export function together(failures: readonly unknown[]): unknown {
  const explained = failures.filter((failure) => failure instanceof ConfigError);
  if (explained.length < failures.length) return failures.find((failure) => !(failure instanceof ConfigError));
  return new ConfigError([...new Set(explained.flatMap(({ problems }) => problems))]);
}
