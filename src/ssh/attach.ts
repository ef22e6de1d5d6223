import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { ClientChannel, TerminalModes } from "ssh2";
import { homeProblem } from "../script/home.ts";
import { InterruptedError, SshError } from "../errors.ts";
import { KeptOutput } from "../kept-output.ts";
import { markerSplitter, type Piece } from "../script/markers.ts";

/** The terminal a person sits at. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** `TERM`. */
  readonly type: string;
}

/** Where the command's input comes from and its output goes to, where no person sits at a terminal. */
export interface Pipes {
  readonly input: Readable;
  readonly onOutput: (stream: "stdout" | "stderr", bytes: Buffer) => void;
}

export interface Attachment {
  readonly host: string;
  /** As long the host may take to begin. */
  readonly beginSeconds: number;
  /** What goes ahead of the input (`renderAttached`), and the nonce of its mark. */
  readonly text: string;
  readonly nonce: string;
  /** Ends it: the channel is closed, which ends the command. */
  readonly signal: AbortSignal;
}

/**
 * What the login shell is given: it reads what there is to do from standard input, so that no secret is in an argument
 * list, and is plain enough for every login shell. A shell's `read` takes no byte beyond its line, so that what follows
 * is left for the command.
 */
export const ATTACHED_SHELL = `exec /bin/sh -c 'IFS= read -r l; eval "$l"'`;

/** How much is kept of what comes before the host has taken what went ahead. */
const BEFORE_BYTES = 65_536;

/** A terminal that shows nothing of what goes ahead, and changes no byte of it. */
export const UNRESPONSIVE_TERMINAL: TerminalModes = {
  ECHO: 0,
  ICANON: 0,
  ISIG: 0,
  ICRNL: 0,
  IXON: 0,
  OPOST: 0,
  IEXTEN: 0,
};

/** After a lost connection: out of the alternate screen, cursor shown, no mouse, no bracketed paste, plain colours. */
const UNDO = "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m\r\n";

export function windowOf(output: NodeJS.WriteStream): { rows: number; cols: number } {
  return { rows: output.rows ?? 24, cols: output.columns ?? 80 };
}

/**
 * Joins the person's terminal to the channel's: every key goes there, also Ctrl-C, and every change of size. The
 * person's terminal is as before whatever happens.
 * @returns the command's exit status @throws SshError, InterruptedError
 */
export async function joinTerminal(
  channel: ClientChannel,
  { input, output }: Terminal,
  attachment: Attachment,
): Promise<number> {
  const forward = (bytes: Buffer) => void (channel.writable && channel.write(bytes));
  const ended = () => forward(Buffer.from([4]));
  const resize = () => {
    const { rows, cols } = windowOf(output);
    channel.setWindow(rows, cols, 0, 0);
  };
  const begin = () => {
    if (input.isTTY) input.setRawMode(true);
    output.on("resize", resize);
    // It may have changed since the channel was opened.
    resize();
    input.on("data", forward).on("end", ended).resume();
  };
  const show = (bytes: Buffer) => void output.write(bytes);
  try {
    return await attached(channel, attachment, { begin, stdout: show, stderr: show });
  } catch (error) {
    if (input.isTTY && input.isRaw && output.isTTY) output.write(UNDO);
    throw error;
  } finally {
    output.off("resize", resize);
    input.off("data", forward).off("end", ended);
    if (input.isTTY) input.setRawMode(false);
    input.pause();
  }
}

/** Carries input and output byte by byte, no faster than the slower end takes them. @returns, @throws as `joinTerminal` */
export async function joinPipes(
  channel: ClientChannel,
  { input, onOutput }: Pipes,
  attachment: Attachment,
): Promise<number> {
  try {
    return await attached(channel, attachment, {
      begin: () => void input.pipe(channel),
      stdout: (bytes) => onOutput("stdout", bytes),
      stderr: (bytes) => onOutput("stderr", bytes),
    });
  } finally {
    input.unpipe(channel);
  }
}

interface Ends {
  /** The host has taken what went ahead: what comes now is the command's. */
  readonly begin: () => void;
  readonly stdout: (bytes: Buffer) => void;
  readonly stderr: (bytes: Buffer) => void;
}

function attached(
  channel: ClientChannel,
  { host, beginSeconds, text, nonce, signal }: Attachment,
  { begin, stdout, stderr }: Ends,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const split = markerSplitter(nonce);
    const before = new KeptOutput(BEFORE_BYTES);
    let begun = false;
    let silent = false;
    let status: number | undefined;
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
    };
    // sshd answers a close when the command has ended, which the end of the connection is to bring about.
    const cancel = () => {
      done();
      channel.close();
      reject(silent ? unresponsiveShell(host, beginSeconds) : new InterruptedError());
    };
    const timer = setTimeout(() => {
      silent = !begun;
      if (silent) cancel();
    }, beginSeconds * 1000);
    const outputBeforeMark = (bytes: Buffer) => {
      const take = (piece: Piece) => {
        if (piece.kind === "begin" && !begun) {
          begun = true;
          begin();
        } else if (piece.kind === "output") {
          if (begun) stdout(piece.bytes);
          else before.add(piece.bytes);
        }
      };
      split(bytes).forEach(take);
      // From now on nobody looks for marks: what was held back as the possible beginning of one is output.
      if (begun) split().forEach(take);
    };
    channel.on("data", (bytes: Buffer) => (begun ? stdout(bytes) : outputBeforeMark(bytes)));
    channel.stderr.on("data", (bytes: Buffer) => (begun ? stderr(bytes) : before.add(bytes)));
    channel.on("exit", (code: number | null, name?: string) => (status = code ?? statusOf(name)));
    channel.on("error", () => {});
    signal.addEventListener("abort", cancel, { once: true });
    channel.on("close", () => {
      done();
      if (status === undefined) reject(new SshError(host, "the connection was lost"));
      else if (!begun) reject(endedEarly(host, status, before.text()));
      else resolve(status);
    });
    if (signal.aborted) cancel();
    else channel.write(text);
  });
}

/** As a shell has it: 128 and the signal's number. */
function statusOf(signal: string | undefined): number {
  const name = signal?.startsWith("SIG") ? signal : `SIG${signal}`;
  return 128 + ((constants.signals as Record<string, number | undefined>)[name] ?? 0);
}

export function unresponsiveShell(host: string, seconds: number): SshError {
  const hint =
    "Something that the login shell reads at its start (.bashrc, .profile) reads standard input or does not end.";
  return new SshError(host, `the shell did not begin to work within ${seconds} s`, { hint });
}

/** @param said what it printed */
export function endedEarly(host: string, status: number | string | undefined, said: string): SshError {
  const text = said.trim();
  const homeless = homeProblem(status, said);
  if (homeless !== undefined) {
    const hint = "Create it for that user and give it to them, or set ssh.user: mrsk keeps its files there.";
    return new SshError(host, homeless, { hint });
  }
  return new SshError(
    host,
    `the login shell ended (exit status ${status}) before anything was run${text ? `\n${text}` : ""}`,
    {
      hint: "Look at what the login shell reads at its start (.bashrc, .profile), and whether the user may log in.",
    },
  );
}
