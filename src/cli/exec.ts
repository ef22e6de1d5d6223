import { type Command, InvalidArgumentError } from "commander";
import { quote } from "../script/command.ts";

export interface ExecFlags {
  readonly interactive?: boolean;
  readonly reuse?: boolean;
  readonly raw?: boolean;
  readonly env?: ReadonlyMap<string, string>;
  readonly detach?: boolean;
}

/** The options of `app exec` and `accessory exec`. */
export function addExecOptions(command: Command, where: string): Command {
  return addStreamOptions(command, where)
    .option("--reuse", "in the running container, not in a new one")
    .option("-e, --env <pair>", "one more variable, not shown in ps: KEY=VALUE (can be repeated)", pair, new Map());
}

/** The options for the standard streams of the user's command. */
export function addStreamOptions(command: Command, where: string): Command {
  return command
    .option("-i, --interactive", `with this terminal, on ${where}`)
    .option("--raw", "print nothing but what the command prints (one host)");
}

/** The user's command as one line. A single argument is a line already; several arguments are quoted. */
export function typedLine(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : words.map(quote).join(" ");
}

/** The flags as the flow takes them, every one set. */
export function execChoice({ interactive, reuse, raw, env, detach }: ExecFlags) {
  return {
    interactive: interactive === true,
    reuse: reuse === true,
    raw: raw === true,
    env: env ?? new Map(),
    detach: detach === true,
  };
}

/** Kamal's form `KEY:VALUE` is accepted too. */
function pair(value: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)[=:](.*)$/s.exec(value);
  if (!match) throw new InvalidArgumentError("expected KEY=VALUE");
  return new Map([...before, [match[1]!, match[2]!]]);
}
