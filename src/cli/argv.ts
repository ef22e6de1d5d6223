import type { Command, Option } from "commander";
import { UsageError } from "../errors.ts";

/** A command line that commander understands, and the commands it names, below the program. */
export interface NormalizedArgv {
  readonly words: readonly string[];
  readonly path: readonly Command[];
  /** Place in the command line of a first word that is no command; it may be an alias. */
  readonly unknown?: number;
}

/**
 * The command line as commander wants it, from what users of the original type: unambiguous prefixes (`mrsk vers`),
 * underscores for dashes (`--skip_push`, `stale_containers`), `--no-flag` and `--skip-flag` for a flag that is off, a
 * bare `-h` and `help` anywhere for help.
 * @throws UsageError when a prefix fits several commands
 */
export function normalizeArgv(program: Command, argv: readonly string[]): NormalizedArgv {
  if (argv.length === 1 && argv[0] === "--version") return { words: ["version"], path: [] };
  const out: string[] = [];
  const path: Command[] = [];
  let at = program;
  let resolving = true;
  let unknown: number | undefined;
  let help = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === "--") {
      out.push(...argv.slice(i));
      break;
    }
    if (word.startsWith("-") && word !== "-") {
      const next = argv[i + 1];
      if (switchedOff(at, word, out)) continue;
      const bare = word === "-h" && (next === undefined || next.startsWith("-"));
      out.push(bare ? "--help" : normalizeOption(at, word));
      const option = optionWithValue(at, out.at(-1)!);
      if (option && next !== undefined) {
        if (isOption(at, next)) throw missingValue(option, next);
        out.push(next);
        i++;
      }
      continue;
    }
    if (!resolving || at.commands.length === 0) {
      if (!help) out.push(word);
      continue;
    }
    if (word === "help") {
      help = true;
      continue;
    }
    const found = resolveCommand(at, word);
    if (found) {
      out.push(found.name());
      path.push(found);
      at = found;
      resolving = found.commands.length > 0;
    } else {
      if (at === program) unknown ??= i;
      out.push(word);
      resolving = false;
    }
  }
  const wantsHelp = (help && unknown === undefined) || (resolving && doesNothingAlone(at));
  if (wantsHelp && !out.includes("--help")) out.push("--help");
  return { words: out, path, ...(unknown === undefined ? {} : { unknown }) };
}

/** `--no-flag` and `--skip-flag` of a flag that exists: takes back what was said before. */
function switchedOff(command: Command, word: string, out: string[]): boolean {
  const flag = word.replaceAll("_", "-").replace(/^--(?:no|skip)-/, "--");
  if (flag === word || findOption(command, word.replaceAll("_", "-"))) return false;
  const option = findOption(command, flag);
  if (!option || option.required || option.optional) return false;
  for (let i = out.length - 1; i >= 0; i--) if (out[i] === option.long || out[i] === option.short) out.splice(i, 1);
  return true;
}

function normalizeOption(command: Command, word: string): string {
  if (!word.startsWith("--")) return word;
  const [name = "", ...value] = word.split("=");
  const dashed = name.replaceAll("_", "-");
  return [findOption(command, dashed) || value.length === 0 ? dashed : name, ...value].join("=");
}

/** The option that takes the next word as its value; of letters in a row (`-vd staging`) only the last can. */
function optionWithValue(command: Command, word: string): Option | undefined {
  if (word.startsWith("--")) return word.includes("=") ? undefined : withValue(findOption(command, word));
  const options = Array.from(word.slice(1), (letter) => findOption(command, `-${letter}`));
  const first = options.findIndex((option) => withValue(option));
  return first === options.length - 1 ? options[first] : undefined;
}

function withValue(option: Option | undefined): Option | undefined {
  return option && (option.required || option.optional) ? option : undefined;
}

function isOption(command: Command, word: string): boolean {
  const [name = ""] = word.split("=");
  return findOption(command, name.startsWith("--") ? name.replaceAll("_", "-") : name) !== undefined;
}

function missingValue(option: Option, next: string): UsageError {
  return new UsageError(`Option '${option.flags}' has no value: ${next} is an option too`, {
    hint: `A value that begins with a dash is written ${option.long}=${next}`,
  });
}

/** Whether a command needs a subcommand: without one its list is what is asked for. */
function doesNothingAlone(command: Command): boolean {
  // Commander keeps the default subcommand to itself.
  const { _defaultCommandName: byDefault } = command as unknown as { _defaultCommandName: string | null };
  return command.commands.length > 0 && byDefault === null;
}

/** Commander keeps it to itself. */
export function isHidden(command: Command): boolean {
  return (command as unknown as { _hidden: boolean })._hidden;
}

function findOption(command: Command, flag: string) {
  for (let at: Command | null = command; at; at = at.parent) {
    const found = at.options.find((option) => option.long === flag || option.short === flag);
    if (found) return found;
  }
  return undefined;
}

function resolveCommand(parent: Command, word: string): Command | undefined {
  const wanted = word.replaceAll("_", "-");
  const named = (command: Command) => [command.name(), ...command.aliases()];
  const exact = parent.commands.find((command) => named(command).includes(wanted));
  if (exact) return exact;
  const beginning = parent.commands.filter((command) => named(command).some((name) => name.startsWith(wanted)));
  // Hidden commands are for those who know their whole name.
  const shown = beginning.filter((command) => !isHidden(command));
  const matches = shown.length > 0 ? shown : beginning;
  if (matches.length > 1 && wanted !== "help") {
    throw new UsageError(`Ambiguous command ${word} matches [${matches.map((command) => command.name()).join(", ")}]`);
  }
  return matches[0];
}
