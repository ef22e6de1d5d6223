import type { Command } from "commander";
import { quote } from "../script/command.ts";
import { isKnown, isOption, missingValue, normalizeOption, optionWithValue, switchedOff } from "./argv-options.ts";
import { unknownCommand, unknownOption } from "./unknown-words.ts";

/** A command line that commander understands, and the commands in it, from below the program to the innermost. */
export interface NormalizedArgv {
  readonly words: readonly string[];
  readonly path: readonly Command[];
  /** Index in the command line of a first word that is no command; it may be an alias. */
  readonly unknown?: number;
  /** Whether the user's command has words that are options of mrsk in a project of Kamal 2. */
  readonly ambiguous?: boolean;
}

export interface ArgvOptions {
  /** Index of the first word after an alias: options there are mrsk's, even if the alias begins a user's command. */
  readonly afterAlias?: number | undefined;
  /** Whether options of mrsk in a user's command are mrsk's, as in Kamal 2; otherwise they belong to that command. */
  readonly optionsAnywhere?: boolean;
}

/**
 * Translates a command line of MRSK's forms into commander's: underscores for dashes (`--skip_push`, `stale_containers`),
 * `--no-flag` and `--skip-flag` for a flag that is off, a bare `-h`, and `help` anywhere. The words after the first word
 * of a user's command (`app exec npm run`) belong to that command, as in docker.
 * @throws UsageError for an unknown subcommand or option
 */
export function normalizeArgv(
  program: Command,
  argv: readonly string[],
  { afterAlias, optionsAnywhere = false }: ArgvOptions = {},
): NormalizedArgv {
  if (argv.length === 1 && argv[0] === "--version") return { words: ["version"], path: [] };
  const line = new CommandLine(program, optionsAnywhere);
  for (let i = 0; i < argv.length; i++) {
    if (i === afterAlias) line.readOptionsAgain();
    i += line.take(argv[i]!, argv.slice(i + 1), i);
  }
  return line.normalized();
}

/** Reads a command line word by word. */
class CommandLine {
  private readonly program: Command;
  private readonly optionsAnywhere: boolean;
  private readonly out: string[] = [];
  private readonly path: Command[] = [];
  private at: Command;
  private resolving = true;
  private help = false;
  private unknown: number | undefined;
  private operands = 0;
  private ambiguous = false;
  /** The words of the user's command. */
  private readonly command: string[] = [];
  /** Where the next word belongs: to mrsk, to the user's command, or to the user's command for good, after `--`. */
  private state: "mrsk" | "command" | "verbatim" = "mrsk";

  constructor(program: Command, optionsAnywhere: boolean) {
    this.program = program;
    this.optionsAnywhere = optionsAnywhere;
    this.at = program;
  }

  /** @returns the number of the next words that were taken too, as values of an option */
  take(word: string, rest: readonly string[], place: number): number {
    if (this.state === "command") this.ambiguous ||= this.isOption(word);
    if (this.state !== "mrsk") this.command.push(word);
    else if (word === "--") this.state = this.wantsName() ? "mrsk" : "verbatim";
    else if (word.startsWith("-") && word !== "-") return this.takeOption(word, rest);
    else if (this.wantsName()) this.takeName(word, place);
    else this.takeOperand(word);
    return 0;
  }

  private isOption(word: string): boolean {
    return word.startsWith("-") && word !== "-" && word !== "--" && isKnown(this.at, normalizeOption(this.at, word));
  }

  /** Whether the next word that is no option is the name of a command. */
  private wantsName(): boolean {
    return this.resolving && this.at.commands.length > 0;
  }

  readOptionsAgain(): void {
    if (this.state === "command") this.state = "mrsk";
  }

  private takeOption(word: string, rest: readonly string[]): number {
    const { at } = this;
    const [next, ...behind] = rest;
    if (switchedOff(at, word, this.out)) return 0;
    const meant = word === "-h" && this.isHelp(rest) ? "--help" : normalizeOption(at, word);
    if (this.unknown === undefined && !isKnown(at, meant)) {
      this.takeUnknownOption(word);
      return 0;
    }
    this.out.push(meant);
    const option = optionWithValue(at, meant);
    if (!option || next === undefined) return 0;
    if (isOption(at, next)) throw missingValue(option, next);
    const more = option.long === "--env" ? furtherPairs(next, behind) : [];
    this.out.push(next, ...more.flatMap((pair) => ["--env", pair]));
    return 1 + more.length;
  }

  /** `-h` takes hosts. At the end, before another option, and in `mrsk -h deploy` it means help. */
  private isHelp([next, ...more]: readonly string[]): boolean {
    if (next === undefined || next.startsWith("-")) return true;
    return this.resolving && more.length === 0 && findCommand(this.at, next) !== undefined;
  }

  /** After the first word of a user's command, an option that mrsk does not have belongs to that command. */
  private takeUnknownOption(word: string): void {
    if (allowsUnknownOptions(this.at)) return void this.out.push(word);
    if (this.command.length === 0) throw unknownOption(this.at, word);
    this.takeOperand(word);
  }

  private takeName(word: string, place: number): void {
    if (word === "help") {
      this.help = true;
      return;
    }
    const found = findCommand(this.at, word);
    if (found) {
      this.out.push(dashed(word));
      this.path.push(found);
      this.at = found;
      return;
    }
    if (this.at !== this.program) throw unknownCommand(this.at, word);
    this.unknown ??= place;
    this.resolving = false;
  }

  private takeOperand(word: string): void {
    if (this.help) return;
    if (takesCommand(this.at) && this.operands >= this.at.registeredArguments.length - 1) this.takeCommandWord(word);
    else this.out.push(word);
    this.operands++;
  }

  /** A first word with spaces is a command line, the form of MRSK: options after it are mrsk's, other words are added. */
  private takeCommandWord(word: string): void {
    const [first] = this.command;
    if (first !== undefined && isLine(first)) {
      this.command[0] = `${first} ${quote(word)}`;
      return;
    }
    this.command.push(word);
    if (!isLine(this.command[0]!) && !this.optionsAnywhere) this.state = "command";
  }

  normalized(): NormalizedArgv {
    const { out, path, unknown, help, at, ambiguous } = this;
    const wantsHelp = (help && unknown === undefined) || (this.resolving && needsSubcommand(at));
    if (wantsHelp && !out.includes("--help")) out.push("--help");
    const command = this.command.length > 0 && !help ? ["--", ...this.command] : [];
    return {
      words: [...out, ...command],
      path,
      ...(unknown === undefined ? {} : { unknown }),
      ...(ambiguous ? { ambiguous } : {}),
    };
  }
}

/** Whether its last argument is a user's command. */
function takesCommand(command: Command): boolean {
  const last = command.registeredArguments.at(-1);
  return last?.variadic === true && last.name() === "command";
}

function isLine(word: string): boolean {
  return /\s/.test(word);
}

function allowsUnknownOptions(command: Command): boolean {
  // Commander has no public property for this.
  return (command as unknown as { _allowUnknownOption: boolean })._allowUnknownOption;
}

/** Whether a command does nothing without a subcommand: its help is printed then. */
function needsSubcommand(command: Command): boolean {
  // Commander has no public property for the default subcommand.
  const { _defaultCommandName: byDefault } = command as unknown as { _defaultCommandName: string | null };
  return command.commands.length > 0 && byDefault === null;
}

function findCommand(parent: Command, word: string): Command | undefined {
  const wanted = dashed(word);
  return parent.commands.find((command) => command.name() === wanted || command.aliases().includes(wanted));
}

function dashed(word: string): string {
  return word.replaceAll("_", "-");
}

const PAIR = /^[A-Za-z_][A-Za-z0-9_]*:/;

/** Kamal's form of several variables: `-e A:1 B:2`. */
function furtherPairs(first: string, rest: readonly string[]): readonly string[] {
  if (!PAIR.test(first)) return [];
  const end = rest.findIndex((word) => !PAIR.test(word));
  return end < 0 ? rest : rest.slice(0, end);
}
