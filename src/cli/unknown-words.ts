import type { Command } from "commander";
import { UsageError } from "../errors.ts";
import { didYouMean, similarNames } from "../spelling.ts";
import { commandWords } from "./options.ts";

/** Commander has no public property for this. */
function isHidden(command: Command): boolean {
  return (command as unknown as { _hidden: boolean })._hidden;
}

/**
 * The error for a word that is no command of the group. Suggests similar commands, also of other groups.
 * @param aliases names of the aliases of the configuration
 */
export function unknownCommand(group: Command, word: string, aliases: readonly string[] = []): UsageError {
  const typed = [...commandWords(group), word].join(" ");
  return new UsageError(`Unknown command '${typed}'`, {
    hint:
      didYouMean(candidates(group, word, aliases)) ??
      `\`${["mrsk", ...commandWords(group)].join(" ")} --help\` lists the commands.`,
  });
}

function candidates(group: Command, word: string, aliases: readonly string[]): string[] {
  const here = group.commands.filter((command) => !isHidden(command));
  const found = similarNames(word, [...names(here), ...aliases]).map((name) =>
    [...commandWords(group), name].join(" "),
  );
  if (found.length > 0) return found;
  const everywhere = descendants(root(group));
  const meant = similarNames(word, names(everywhere));
  return everywhere
    .filter((command) => meant.includes(command.name()))
    .map((command) => commandWords(command).join(" "));
}

/** The error for an option that the command does not have. Suggests similar options. */
export function unknownOption(command: Command, word: string): UsageError {
  const [typed = ""] = word.split("=");
  const there = longOptions(command);
  const meant = typed.startsWith("--")
    ? similarNames(typed, there)
    : there.filter((long) => long.startsWith(`--${letter(typed)}`));
  return new UsageError(`Unknown option '${typed}'`, {
    hint: didYouMean(meant) ?? `\`${["mrsk", ...commandWords(command)].join(" ")} --help\` lists the options.`,
  });
}

function letter(short: string): string {
  return short.slice(1, 2).toLowerCase();
}

function longOptions(command: Command): string[] {
  const own = command.options.filter(({ hidden }) => !hidden).flatMap(({ long }) => long ?? []);
  return command.parent ? [...own, ...longOptions(command.parent)] : [...own, "--help"];
}

function descendants(command: Command): Command[] {
  return command.commands.filter((child) => !isHidden(child)).flatMap((child) => [child, ...descendants(child)]);
}

function root(command: Command): Command {
  return command.parent ? root(command.parent) : command;
}

function names(commands: readonly Command[]): string[] {
  return commands.flatMap((command) => [command.name(), ...command.aliases()]);
}
