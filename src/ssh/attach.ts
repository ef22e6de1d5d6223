import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { ClientChannel, TerminalModes } from "ssh2";
import { endedEarly } from "../script/home.ts";
import { InterruptedError, SshError } from "../errors.ts";
import { KeptOutput } from "../kept-output.ts";
import { markerSplitter, type Piece } from "../script/markers.ts";

/** The user's terminal. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** `TERM`. */
  readonly type: string;
}

/** The command's input and output without a terminal. */
export interface Pipes {
  readonly input: Readable;
  readonly onOutput: (stream: "stdout" | "stderr", bytes: Buffer) => void;
}

export interface Attachment {
  readonly host: string;
  /** Time limit for the login shell to start. */
  readonly beginSeconds: number;
  /** The script sent before the input (`renderAttached`), and the nonce of its begin marker. */
  readonly text: string;
  readonly nonce: string;
  /** An abort closes the channel, which ends the command. */
  readonly signal: AbortSignal;
}

/**
 * The command line for the login shell. It reads the script from standard input, so that no secret is in an argument
 * list, and every login shell understands it. `read` consumes no byte beyond its line: the rest of standard input is the
 * command's.
 */
export const ATTACHED_SHELL = `exec /bin/sh -c 'IFS= read -r l; eval "$l"'`;

/** How much output before the begin marker is kept, for the error message. */
const BEFORE_BYTES = 65_536;

/** Terminal modes that neither echo nor change the script that is sent before the input. */
export const UNRESPONSIVE_TERMINAL: TerminalModes = {
  ECHO: 0,
  ICANON: 0,
  ISIG: 0,
  ICRNL: 0,
  IXON: 0,
  OPOST: 0,
  IEXTEN: 0,
};

/** After a lost connection: leave the alternate screen, show the cursor, no mouse, no bracketed paste, plain colours. */
const RESET = "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m\r\n";

export function windowOf(output: NodeJS.WriteStream): { rows: number; cols: number } {
  return { rows: output.rows ?? 24, cols: output.columns ?? 80 };
}

/**
 * Joins the user's terminal to the channel's: every key is sent, Ctrl-C included, and every change of size. The
 * terminal's mode is restored in any case.
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
    // The size may have changed since the channel was opened.
    resize();
    input.on("data", forward).on("end", ended).resume();
  };
  const show = (bytes: Buffer) => void output.write(bytes);
  try {
    return await attached(channel, attachment, { begin, stdout: show, stderr: show });
  } catch (error) {
    if (input.isTTY && input.isRaw && output.isTTY) output.write(RESET);
    throw error;
  } finally {
    output.off("resize", resize);
    input.off("data", forward).off("end", ended);
    if (input.isTTY) input.setRawMode(false);
    input.pause();
  }
}

/** Forwards input and output byte by byte, with backpressure. @returns, @throws as `joinTerminal` */
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

interface Receivers {
  /** Called at the begin marker: all output from then on is the command's. */
  readonly begin: () => void;
  readonly stdout: (bytes: Buffer) => void;
  readonly stderr: (bytes: Buffer) => void;
}

function attached(
  channel: ClientChannel,
  { host, beginSeconds, text, nonce, signal }: Attachment,
  { begin, stdout, stderr }: Receivers,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const split = markerSplitter(nonce);
    const before = new KeptOutput(BEFORE_BYTES);
    let begun = false;
    let timedOut = false;
    let status: number | undefined;
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
    };
    // Do not wait for "close": sshd sends it only when the command has ended.
    const cancel = () => {
      done();
      channel.close();
      reject(timedOut ? unresponsiveShell(host, beginSeconds) : new InterruptedError());
    };
    const timer = setTimeout(() => {
      timedOut = !begun;
      if (timedOut) cancel();
    }, beginSeconds * 1000);
    const outputBeforeMarker = (bytes: Buffer) => {
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
      // The splitter is not used any more: what it held back as the possible beginning of a marker is output.
      if (begun) split().forEach(take);
    };
    channel.on("data", (bytes: Buffer) => (begun ? stdout(bytes) : outputBeforeMarker(bytes)));
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

/** As in a shell: 128 plus the signal's number. */
function statusOf(signal: string | undefined): number {
  const name = signal?.startsWith("SIG") ? signal : `SIG${signal}`;
  return 128 + ((constants.signals as Record<string, number | undefined>)[name] ?? 0);
}

export function unresponsiveShell(host: string, seconds: number): SshError {
  const hint = "A start-up file of the login shell (.bashrc, .profile) reads standard input or does not end.";
  return new SshError(host, `the login shell did not start within ${seconds} s`, { hint });
}
