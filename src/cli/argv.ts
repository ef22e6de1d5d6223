import type { Command } from "commander";
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
      if (takesValue(at, out.at(-1)!) && next !== undefined) {
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
  if (help && unknown === undefined) out.push("--help");
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

function takesValue(command: Command, word: string): boolean {
  if (word.includes("=")) return false;
  const option = findOption(command, word);
  return option !== undefined && (option.required || option.optional);
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
  const matches = parent.commands.filter((command) => named(command).some((name) => name.startsWith(wanted)));
  if (matches.length > 1 && wanted !== "help") {
    throw new UsageError(`Ambiguous command ${word} matches [${matches.map((command) => command.name()).join(", ")}]`);
  }
  return matches[0];
}
