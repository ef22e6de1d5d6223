import type { Command } from "commander";
import { UsageError } from "../errors.ts";
import { isKnown, isOption, missingValue, normalizeOption, optionWithValue, switchedOff } from "./argv-options.ts";
import { unknownCommand, unknownOption } from "./unknown-words.ts";

/** A command line that commander understands, and the commands it names, below the program. */
export interface NormalizedArgv {
  readonly words: readonly string[];
  readonly path: readonly Command[];
  /** Place in the command line of a first word that is no command; it may be an alias. */
  readonly unknown?: number;
}

/**
 * The command line as commander wants it, from what users of the original type: underscores for dashes (`--skip_push`,
 * `stale_containers`), `--no-flag` and `--skip-flag` for a flag that is off, a bare `-h` and `help` anywhere for help.
 * What follows the first word of a user's own command (`app exec npm run`) belongs to that command, as in docker.
 * @param afterAlias where an alias ends: options at that place are mrsk's, though the alias has begun a user's command
 * @throws UsageError for a subcommand or an option that there is not
 */
export function normalizeArgv(program: Command, argv: readonly string[], afterAlias?: number): NormalizedArgv {
  if (argv.length === 1 && argv[0] === "--version") return { words: ["version"], path: [] };
  const line = new CommandLine(program);
  for (let i = 0; i < argv.length; i++) {
    if (i === afterAlias) line.readOptionsAgain();
    if (line.take(argv[i]!, argv.slice(i + 1), i)) i++;
  }
  return line.normalized();
}

/** Takes a command line word by word. */
class CommandLine {
  private readonly program: Command;
  private readonly out: string[] = [];
  private readonly path: Command[] = [];
  private at: Command;
  private resolving = true;
  private help = false;
  private unknown: number | undefined;
  private operands = 0;
  /** The user's own command, once its first word was there. */
  private readonly command: string[] = [];
  private state: "ours" | "theirs" | "verbatim" = "ours";

  constructor(program: Command) {
    this.program = program;
    this.at = program;
  }

  /** @returns whether the next word was taken too, as the value of an option */
  take(word: string, rest: readonly string[], place: number): boolean {
    if (this.state !== "ours") this.command.push(word);
    else if (word === "--") this.state = this.wantsName() ? "ours" : "verbatim";
    else if (word.startsWith("-") && word !== "-") return this.takeOption(word, rest);
    else if (this.wantsName()) this.takeName(word, place);
    else this.takeOperand(word);
    return false;
  }

  private wantsName(): boolean {
    return this.resolving && this.at.commands.length > 0;
  }

  readOptionsAgain(): void {
    if (this.state === "theirs") this.state = "ours";
  }

  private takeOption(word: string, rest: readonly string[]): boolean {
    const { at } = this;
    const [next] = rest;
    if (switchedOff(at, word, this.out)) return false;
    const meant = word === "-h" && this.isHelp(rest) ? "--help" : normalizeOption(at, word);
    if (this.unknown === undefined && !isKnown(at, meant)) {
      this.takeTheirOption(word);
      return false;
    }
    this.out.push(meant);
    const option = optionWithValue(at, meant);
    if (!option || next === undefined) return false;
    if (isOption(at, next)) throw missingValue(option, next);
    this.out.push(next);
    return true;
  }

  /** `-h` names hosts, but at the end and before another option; `mrsk -h deploy` is a question too. */
  private isHelp([next, ...more]: readonly string[]): boolean {
    if (next === undefined || next.startsWith("-")) return true;
    return this.resolving && more.length === 0 && findCommand(this.at, next) !== undefined;
  }

  /** After an alias that has begun a user's command, what is not mrsk's is that command's. */
  private takeTheirOption(word: string): void {
    const [first] = this.command;
    if (first === undefined || isLine(first)) throw unknownOption(this.at, word);
    this.takeOperand(word);
  }

  private takeName(word: string, place: number): void {
    if (word === "help") {
      this.help = true;
      return;
    }
    const found = findCommand(this.at, word);
    if (found) {
      this.out.push(found.name());
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

  /** A first word with spaces is a whole command line, as the original wants it: options after it are mrsk's. */
  private takeCommandWord(word: string): void {
    const [first] = this.command;
    if (first !== undefined && isLine(first)) throw afterLine(first, word);
    this.command.push(word);
    if (!isLine(this.command[0]!)) this.state = "theirs";
  }

  normalized(): NormalizedArgv {
    const { out, path, unknown, help, at } = this;
    const wantsHelp = (help && unknown === undefined) || (this.resolving && doesNothingAlone(at));
    if (wantsHelp && !out.includes("--help")) out.push("--help");
    const command = this.command.length > 0 && !help ? ["--", ...this.command] : [];
    return { words: [...out, ...command], path, ...(unknown === undefined ? {} : { unknown }) };
  }
}

/** Whether its last argument is a user's own command. */
function takesCommand(command: Command): boolean {
  return command.registeredArguments.at(-1)?.variadic === true;
}

function isLine(word: string): boolean {
  return /\s/.test(word);
}

function afterLine(line: string, word: string): UsageError {
  return new UsageError(`'${word}' follows a command that is one argument: '${line}'`, {
    hint: "Write the whole command as one argument, or each of its words as one. After -- every word is taken as typed.",
  });
}

/** Whether a command needs a subcommand: without one its list is what is asked for. */
function doesNothingAlone(command: Command): boolean {
  // Commander keeps the default subcommand to itself.
  const { _defaultCommandName: byDefault } = command as unknown as { _defaultCommandName: string | null };
  return command.commands.length > 0 && byDefault === null;
}

function findCommand(parent: Command, word: string): Command | undefined {
  const wanted = word.replaceAll("_", "-");
  return parent.commands.find((command) => command.name() === wanted || command.aliases().includes(wanted));
}
