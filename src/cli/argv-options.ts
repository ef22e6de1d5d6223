import type { Command, Option } from "commander";
import { UsageError } from "../errors.ts";

/** Whether the word is `--no-flag` or `--skip-flag` of a flag without a value. Removes the flag from `out`. */
export function switchedOff(command: Command, word: string, out: string[]): boolean {
  const flag = word.replaceAll("_", "-").replace(/^--(?:no|skip)-/, "--");
  if (flag === word || findOption(command, word.replaceAll("_", "-"))) return false;
  const option = findOption(command, flag);
  if (!option || option.required || option.optional) return false;
  for (let i = out.length - 1; i >= 0; i--) if (out[i] === option.long || out[i] === option.short) out.splice(i, 1);
  return true;
}

export function normalizeOption(command: Command, word: string): string {
  if (!word.startsWith("--")) return word;
  const [name = "", ...value] = word.split("=");
  const dashed = name.replaceAll("_", "-");
  return [findOption(command, dashed) || value.length === 0 ? dashed : name, ...value].join("=");
}

/** Whether the option exists. In a group of letters (`-vdstaging`), every letter before a value must be an option. */
export function isKnown(command: Command, word: string): boolean {
  if (word.startsWith("--")) return isOption(command, word) || word === "--help";
  const options = Array.from(word.slice(1), (letter) => findOption(command, `-${letter}`));
  const first = options.findIndex((option) => withValue(option));
  return (first < 0 ? options : options.slice(0, first)).every((option) => option !== undefined);
}

/** The option that takes the next word as its value; in a group of letters (`-vd staging`) only the last can. */
export function optionWithValue(command: Command, word: string): Option | undefined {
  if (word.startsWith("--")) return word.includes("=") ? undefined : withValue(findOption(command, word));
  const options = Array.from(word.slice(1), (letter) => findOption(command, `-${letter}`));
  const first = options.findIndex((option) => withValue(option));
  return first === options.length - 1 ? options[first] : undefined;
}

function withValue(option: Option | undefined): Option | undefined {
  return option && (option.required || option.optional) ? option : undefined;
}

export function isOption(command: Command, word: string): boolean {
  const [name = ""] = word.split("=");
  return findOption(command, name.startsWith("--") ? name.replaceAll("_", "-") : name) !== undefined;
}

export function missingValue(option: Option, next: string): UsageError {
  return new UsageError(`Option '${option.flags}' has no value: ${next} is an option too`, {
    hint: `A value that begins with a dash is written ${option.long}=${next}`,
  });
}

/** Finds an option of the command or of the commands above it. */
function findOption(command: Command, flag: string): Option | undefined {
  for (let at: Command | null = command; at; at = at.parent) {
    const found = at.options.find((option) => option.long === flag || option.short === flag);
    if (found) return found;
  }
  return undefined;
}
