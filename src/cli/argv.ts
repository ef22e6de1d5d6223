import type { Command } from "commander";
import { UsageError } from "../errors.ts";

/** A command line that commander understands, and the commands it names, below the program. */
export interface NormalizedArgv {
  readonly words: readonly string[];
  readonly path: readonly Command[];
}

/**
 * The command line as commander wants it, from what users of the original type: unambiguous prefixes (`mrsk vers`),
 * underscores for dashes (`--skip_push`, `stale_containers`), `--skip-flag` for `--no-flag`, a bare `-h` for help.
 * @throws UsageError when a prefix fits several commands
 */
export function normalizeArgv(program: Command, argv: readonly string[]): NormalizedArgv {
  if (argv.length === 1 && argv[0] === "--version") return { words: ["version"], path: [] };
  const out: string[] = [];
  const path: Command[] = [];
  let at = program;
  let resolving = true;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === "--") return { words: [...out, ...argv.slice(i)], path };
    if (word.startsWith("-") && word !== "-") {
      const next = argv[i + 1];
      if (word === "-h" && (next === undefined || next.startsWith("-"))) out.push("--help");
      else out.push(normalizeOption(at, word));
      if (takesValue(at, out.at(-1)!) && next !== undefined) {
        out.push(next);
        i++;
      }
      continue;
    }
    if (!resolving || at.commands.length === 0) {
      out.push(word);
      continue;
    }
    const found = resolveCommand(at, word);
    if (found) {
      out.push(found.name());
      path.push(found);
      at = found;
      resolving = found.commands.length > 0;
    } else {
      out.push(word);
      resolving = word === "help";
    }
  }
  return { words: out, path };
}

function normalizeOption(command: Command, word: string): string {
  if (!word.startsWith("--")) return word;
  const [name = "", ...value] = word.split("=");
  const dashed = name.replaceAll("_", "-");
  const known = (long: string) => findOption(command, long) !== undefined;
  const negated = dashed.replace(/^--skip-/, "--no-");
  const resolved = !known(dashed) && known(negated) ? negated : dashed;
  return [resolved, ...value].join("=");
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
