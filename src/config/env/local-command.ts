import { isatty } from "node:tty";

/** More than any value: Linux takes none of 128 KiB. */
const MOST_CHARACTERS = 1_000_000;

/** A command of `.env` or of a template that did not work. The message has no value in it but what it said itself. */
export class LocalCommandError extends Error {}

/**
 * Runs a shell command of this machine and gives what it printed, untrimmed. It may read the terminal, as password
 * managers do.
 * @throws LocalCommandError when it fails: an empty password would go unnoticed for long
 */
export async function localCommand(
  command: string,
  { cwd, environment }: { cwd: string; environment: Readonly<Record<string, string>> },
): Promise<string> {
  const { execa } = await import("execa");
  const result = await execa("/bin/sh", ["-c", command], {
    cwd,
    env: environment,
    extendEnv: false,
    // What is piped into mrsk is for the command that mrsk is to run.
    stdin: isatty(0) ? "inherit" : "ignore",
    stripFinalNewline: false,
    maxBuffer: MOST_CHARACTERS,
    reject: false,
  });
  if (!result.failed) return result.stdout;
  if (result.isMaxBuffer) throw new LocalCommandError(`printed more than ${MOST_CHARACTERS} characters`);
  const said = result.stderr.trim();
  const how = result.exitCode === undefined ? "did not run to its end" : `failed (exit status ${result.exitCode})`;
  throw new LocalCommandError(`${how}${said === "" ? "" : `: ${said.replaceAll("\n", "; ")}`}`);
}
