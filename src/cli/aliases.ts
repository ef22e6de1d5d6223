import { words } from "../commands/arguments.ts";
import { eraOf } from "../config/era.ts";
import { type ConfigSource, writtenKeys } from "../config/load.ts";
import { openVariables } from "../config/kamal-secrets/project-variables.ts";
import { MrskError } from "../errors.ts";
import { DEFAULT_CONFIG_FILE } from "./options.ts";

/** A command line with aliases replaced by their commands. */
export interface Expanded {
  readonly argv: readonly string[];
  /** Index of the first word after the command of the alias; undefined without an alias. */
  readonly afterAlias?: number;
}

/**
 * Replaces an alias by its command line, which may begin with another alias. A command line that leads back to its own
 * alias stays as it is.
 * @param unknownIn index of the first word that is no command
 */
export function withAliases(
  argv: readonly string[],
  aliases: ReadonlyMap<string, string>,
  unknownIn: (line: Expanded) => number | undefined,
): Expanded {
  const left = new Map(aliases);
  let line: Expanded = { argv };
  for (;;) {
    const place = unknownIn(line);
    const name = place === undefined ? undefined : line.argv[place]!;
    const text = name === undefined ? undefined : left.get(name);
    if (place === undefined || name === undefined || text === undefined) return line;
    left.delete(name);
    line = replaced(line, place, text);
  }
}

function replaced({ argv, afterAlias }: Expanded, place: number, text: string): Expanded {
  const [first, ...rest] = words(text);
  const meant = first === "mrsk" || first === "kamal" || first === undefined ? rest : [first, ...rest];
  return {
    argv: [...argv.slice(0, place), ...meant, ...argv.slice(place + 1)],
    afterAlias: (afterAlias ?? place + 1) + meant.length - 1,
  };
}

/** What decides how a command line is read. */
export interface Project {
  readonly aliases: ReadonlyMap<string, string>;
  readonly ofKamal2: boolean;
}

/** Reads the configuration without checking it: its mistakes are reported by the command. Without it, there are no aliases. */
export async function readProject(argv: readonly string[]): Promise<Project> {
  const destination = optionValue(argv, "-d", "--destination");
  const file = optionValue(argv, "-c", "--config-file") ?? DEFAULT_CONFIG_FILE;
  const cwd = process.cwd();
  const given = { file, destination, cwd };
  // Values of -c and -d may belong to the user's command: `bash -c ls`.
  const written =
    (await writtenOf(given)) ?? (await writtenOf({ file: DEFAULT_CONFIG_FILE, destination: undefined, cwd }));
  return { aliases: aliasesOf(written?.["aliases"]), ofKamal2: eraOf(written ?? {}, cwd).generation === 2 };
}

/** undefined if the files cannot be read. */
async function writtenOf(
  source: Omit<ConfigSource, "environment">,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const processEnvironment = process.env as Record<string, string>;
    const { environment } = await openVariables({ ...source, processEnvironment, verbose: false });
    return await writtenKeys({ ...source, environment });
  } catch (error) {
    if (error instanceof MrskError) return undefined;
    throw error;
  }
}

function aliasesOf(written: unknown): Map<string, string> {
  if (typeof written !== "object" || written === null) return new Map();
  return new Map(Object.entries(written).flatMap(([name, line]) => (typeof line === "string" ? [[name, line]] : [])));
}

function optionValue(argv: readonly string[], short: string, long: string): string | undefined {
  for (const [i, word] of argv.entries()) {
    const [name = "", ...value] = word.split("=");
    const isLong = name.startsWith("--") && name.replaceAll("_", "-") === long;
    if (isLong && value.length > 0) return value.join("=");
    if (isLong || word === short) return argv[i + 1];
    if (word.startsWith(short) && !word.startsWith("--")) return word.slice(short.length);
  }
  return undefined;
}
