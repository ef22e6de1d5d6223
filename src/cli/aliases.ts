import { words } from "../commands/arguments.ts";
import { loadConfig } from "../config/load.ts";
import { openVariables } from "../config/kamal-secrets/project-variables.ts";
import { MrskError } from "../errors.ts";
import { DEFAULT_CONFIG_FILE } from "./options.ts";

/** A command line with an alias replaced by its command. */
export interface Expanded {
  readonly argv: readonly string[];
  /** Index of the first word after the alias' command. */
  readonly end: number;
}

/** The command line with the alias at index `place` replaced; undefined if there is no such alias. */
export function withAlias(
  argv: readonly string[],
  place: number,
  aliases: ReadonlyMap<string, string>,
): Expanded | undefined {
  const line = aliases.get(argv[place]!);
  if (line === undefined) return undefined;
  const [first, ...rest] = words(line);
  const meant = first === "mrsk" || first === undefined ? rest : [first, ...rest];
  return {
    argv: [...argv.slice(0, place), ...meant, ...argv.slice(place + 1)],
    end: place + meant.length,
  };
}

/** The aliases of the configuration; none if it cannot be read: the word is then an unknown command. */
export async function readAliases(argv: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const destination = optionValue(argv, "-d", "--destination");
  const cwd = process.cwd();
  const processEnvironment = process.env as Record<string, string>;
  try {
    const file = optionValue(argv, "-c", "--config-file") ?? DEFAULT_CONFIG_FILE;
    const { environment } = await openVariables({ file, destination, cwd, processEnvironment, verbose: false });
    return (await loadConfig({ file, destination, cwd, environment })).aliases;
  } catch (error) {
    if (error instanceof MrskError) return new Map();
    throw error;
  }
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
