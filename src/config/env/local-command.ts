import { isatty } from "node:tty";

/** More than any value can have: the limit of Linux is 128 KiB. */
const MOST_CHARACTERS = 1_000_000;

/** The command travels in the environment: it may contain a secret, and every user can see the arguments of a process. */
const LINE = "MRSK_COMMAND_LINE";
const EVALUATE = `mrsk_line=$${LINE}; unset ${LINE}; eval "$mrsk_line"`;

/** A command of `.env` or of a template failed. Of values, the message contains only what the command printed itself. */
export class LocalCommandError extends Error {
  /** undefined if the command did not finish. */
  readonly exitCode: number | undefined;

  constructor(message: string, exitCode?: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

interface Context {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether a terminal shows standard error too: a password manager writes its questions there. */
  readonly showsErrors?: boolean;
}

/**
 * Runs a shell command on this machine and returns its standard output, untrimmed. The command may read the terminal, as
 * password managers do.
 * @throws LocalCommandError if it fails: its empty output would be used as a password
 */
export async function localCommand(
  command: string,
  { cwd, environment, showsErrors = false }: Context,
): Promise<string> {
  const { execa } = await import("execa");
  const result = await execa("/bin/sh", ["-c", EVALUATE], {
    cwd,
    env: { ...environment, [LINE]: command },
    extendEnv: false,
    // Input piped into mrsk belongs to the command that mrsk runs in a container or on a server.
    stdin: isatty(0) ? "inherit" : "ignore",
    stderr: showsErrors && isatty(0) && isatty(2) ? ["inherit", "pipe"] : "pipe",
    stripFinalNewline: false,
    maxBuffer: MOST_CHARACTERS,
    reject: false,
  });
  if (!result.failed) return result.stdout;
  if (result.isMaxBuffer) throw new LocalCommandError(`printed more than ${MOST_CHARACTERS} characters`);
  const output = result.stderr.trim().replaceAll(/^(\S*sh: (?:line )?\d+: )eval: /gm, "$1");
  const how = result.exitCode === undefined ? "did not finish" : `failed (exit status ${result.exitCode})`;
  throw new LocalCommandError(`${how}${output === "" ? "" : `: ${output.replaceAll("\n", "; ")}`}`, result.exitCode);
}
