import { type Command, InvalidArgumentError, Option } from "commander";
import { LOCK_WAIT } from "../config/defaults.ts";
import { checkDestination } from "../config/destination.ts";
import { MOST_SECONDS } from "../config/limits.ts";

/** The global options, as commander returns them. Accepted before and after every command. */
export interface GlobalOptions {
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  readonly version?: string;
  readonly primary?: boolean;
  readonly hosts?: readonly string[];
  readonly roles?: readonly string[];
  readonly configFile?: string;
  readonly destination?: string;
  readonly skipHooks?: boolean;
  readonly lockWait?: boolean;
  readonly lockWaitTimeout?: number;
  readonly lockWaitInterval?: number;
}

export const DEFAULT_CONFIG_FILE = "config/deploy.yml";

export function addGlobalOptions(command: Command): Command {
  return command
    .addOption(new Option("-v, --verbose", "show each remote command and its output"))
    .addOption(new Option("-q, --quiet", "show nothing but warnings and errors"))
    .addOption(new Option("--version <version>", "app version to act on, instead of the git revision"))
    .addOption(new Option("-p, --primary", "act on the primary host only"))
    .addOption(
      new Option("-h, --hosts <hosts>", "act on these hosts only (comma separated, * allowed)").argParser(list),
    )
    .addOption(
      new Option("-r, --roles <roles>", "act on these roles only (comma separated, * allowed)").argParser(list),
    )
    .addOption(new Option("-c, --config-file <path>", `the configuration (default: ${DEFAULT_CONFIG_FILE})`))
    .addOption(
      new Option("-d, --destination <name>", "merge deploy.<name>.yml and .env.<name>").argParser(checkDestination),
    )
    .addOption(new Option("-H, --skip-hooks", "do not run hooks"))
    .addOption(new Option("--lock-wait", "wait until another deploy releases the deploy lock"))
    .addOption(
      new Option(
        "--lock-wait-timeout <seconds>",
        `longest time to wait (default: ${LOCK_WAIT.timeoutSeconds})`,
      ).argParser(seconds),
    )
    .addOption(
      new Option(
        "--lock-wait-interval <seconds>",
        `time between two attempts (default: ${LOCK_WAIT.intervalSeconds})`,
      ).argParser(pause),
    );
}

/** Without this option, `revert` is true. */
export function noRevert(): Option {
  return new Option("--no-revert", "if it fails, leave every host as it is, for inspection");
}

/** Without this option, `cache` is true. */
export function noCache(): Option {
  return new Option("--no-cache", "build each layer of the image again");
}

function list(value: string): string[] {
  const items = value
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
  if (items.length === 0) throw new InvalidArgumentError("name at least one");
  return items;
}

/** A whole number, 0 or more. */
export function count(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError(`expected a whole number, got "${value}"`);
  return Number(value);
}

/** A whole number of seconds that a timer can count. */
export function seconds(value: string): number {
  const number = count(value);
  if (number > MOST_SECONDS) throw new InvalidArgumentError(`expected at most ${MOST_SECONDS} seconds, got "${value}"`);
  return number;
}

/** At least a second: without a pause, the attempts would load the server. */
function pause(value: string): number {
  const number = seconds(value);
  if (number === 0) throw new InvalidArgumentError("expected at least 1 second");
  return number;
}

/** All values from the program down to the command; the innermost wins. */
export function globalOptions(command: Command): GlobalOptions {
  const path: Command[] = [];
  for (let at: Command | null = command; at; at = at.parent) path.unshift(at);
  return Object.assign({}, ...path.map((at) => at.opts())) as GlobalOptions;
}

/** The words of the command, without the program: `["app", "boot"]`. Once it is parsed, as typed: `["proxy", "boot"]`. */
export function commandWords(command: Command): string[] {
  const words: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) words.unshift(typedName(at));
  return words;
}

/** The name, or the other name that was typed. */
function typedName(command: Command): string {
  const [typed] = command.parent?.args ?? [];
  return typed !== undefined && command.aliases().includes(typed) ? typed : command.name();
}
