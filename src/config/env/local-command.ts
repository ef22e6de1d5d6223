import { isatty } from "node:tty";

/** More than any value can have: the limit of Linux is 128 KiB. */
const MOST_CHARACTERS = 1_000_000;

/** A command of `.env` or of a template failed. Of values, the message contains only what the command printed itself. */
export class LocalCommandError extends Error {
  /** undefined if the command did not finish. */
  readonly exitCode: number | undefined;

  constructor(message: string, exitCode?: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a shell command on this machine and returns its standard output, untrimmed. The command may read the terminal, as
 * password managers do.
 * @throws LocalCommandError if it fails: its empty output would be used as a password
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
    // Input piped into mrsk belongs to the command that mrsk runs in a container or on a server.
    stdin: isatty(0) ? "inherit" : "ignore",
    stripFinalNewline: false,
    maxBuffer: MOST_CHARACTERS,
    reject: false,
  });
  if (!result.failed) return result.stdout;
  if (result.isMaxBuffer) throw new LocalCommandError(`printed more than ${MOST_CHARACTERS} characters`);
  const output = result.stderr.trim();
  const how = result.exitCode === undefined ? "did not finish" : `failed (exit status ${result.exitCode})`;
  throw new LocalCommandError(`${how}${output === "" ? "" : `: ${output.replaceAll("\n", "; ")}`}`, result.exitCode);
}
