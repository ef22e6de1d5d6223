import type { ClientChannel } from "ssh2";
import { GO_HOME } from "../script/home.ts";
import type { Needs } from "../script/call.ts";
import { ShellLibrary } from "../script/library.ts";
import { HEARTBEAT, HEARTBEAT_MILLISECONDS, LOADER, NEXT } from "../script/loader.ts";
import { SshError } from "../errors.ts";
import { unresponsiveShell } from "./attach.ts";

export const SHELL = "exec /bin/sh -s";
/** After a cancel, the time the server's clean-up has before the channel is cut. */
const GRACE_MILLISECONDS = 8000;
/** And then, the time the server has to close the channel. */
const CLOSE_MILLISECONDS = 3000;

/** A rendered script (`renderScript`), and what it calls. */
export interface RenderedScript {
  readonly text: string;
  readonly needs: Needs;
}

export interface ScriptOutput {
  /** undefined when the remote process was killed by a signal. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
}

export interface Streams {
  readonly onStdout: (bytes: Buffer) => void;
  readonly onStderr: (bytes: Buffer) => void;
  /** Whether a mark of the script has been seen: until then, a login shell may have swallowed it. */
  readonly hasBegun: () => boolean;
  /** The exit status, once the script's last marks were seen. */
  readonly exit: () => number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Goes on until somebody ends it, and so must not keep one of the few channels from others. */
  readonly endless?: boolean | undefined;
}

/** What a shell must know of the connection that it is on. */
export interface OnConnection {
  /** As long a script may take to begin. */
  readonly beginSeconds: number;
  /** Why the connection is gone, when it is. */
  readonly lost: () => Error | undefined;
  /** The server does not close the channel. */
  readonly retire: () => void;
}

/** A shell on a host, on a channel that stays open: one script after the other. */
export class RemoteShell {
  private readonly channel: ClientChannel;
  private readonly host: string;
  private readonly connection: OnConnection;
  private readonly heartbeat: NodeJS.Timeout;
  private loaderSent = false;
  private readonly library = new ShellLibrary();
  /** A script that it was given did not begin in time: nobody knows whether it still will. */
  private unresponsive = false;
  private open = true;
  private status: number | null | undefined;
  private signal: string | undefined;
  private streams: Pick<Streams, "onStdout" | "onStderr"> | undefined;
  /** Of the script that runs: to be called when one of its streams, or the shell, may have come to its end. */
  private onProgress: (() => void) | undefined;

  constructor(channel: ClientChannel, host: string, connection: OnConnection) {
    this.channel = channel;
    this.host = host;
    this.connection = connection;
    this.heartbeat = setInterval(() => this.write(HEARTBEAT), HEARTBEAT_MILLISECONDS).unref();
    channel.on("data", (bytes: Buffer) => {
      this.streams?.onStdout(bytes);
      this.onProgress?.();
    });
    // What nobody reads would block the channel, and keep its end from being noticed.
    channel.stderr.on("data", (bytes: Buffer) => {
      this.streams?.onStderr(bytes);
      this.onProgress?.();
    });
    channel.on("error", () => {});
    channel.on("exit", (code: number | null, name?: string) => {
      this.status = code;
      this.signal = name;
    });
    channel.on("close", () => this.over());
  }

  private over(): void {
    this.open = false;
    clearInterval(this.heartbeat);
    this.onProgress?.();
  }

  /** The server was asked to close the channel, and does not. */
  private abandon(): void {
    if (!this.open) return;
    this.connection.retire();
    this.over();
  }

  /** Whether it ended by itself, or was ended by another, while it waited: what was sent to it since has not run. */
  get endedUnnoticed(): boolean {
    return !this.open && !this.unresponsive;
  }

  /** Whether it takes another script. */
  get usable(): boolean {
    return this.open && this.status === undefined && this.channel.writable && this.connection.lost() === undefined;
  }

  end(): void {
    this.channel.end();
  }

  private write(text: string): void {
    if (this.channel.writable) this.channel.write(text);
  }

  /**
   * The end of standard input means "stop" to a script: what is cancelled leaves no shell behind.
   * @throws SshError when there is no exit status to give: link lost, nothing of the script began
   */
  run({ text, needs }: RenderedScript, streams: Streams): Promise<ScriptOutput> {
    return new Promise((resolve, reject) => {
      const timers: NodeJS.Timeout[] = [];
      const after = (milliseconds: number, what: () => void) => void timers.push(setTimeout(what, milliseconds));
      const cancel = () => {
        this.end();
        after(GRACE_MILLISECONDS, () => this.channel.close());
        after(GRACE_MILLISECONDS + CLOSE_MILLISECONDS, () => this.abandon());
      };
      const over = () => {
        for (const timer of timers) clearTimeout(timer);
        streams.signal?.removeEventListener("abort", cancel);
        this.onProgress = undefined;
        this.streams = undefined;
      };
      this.streams = streams;
      this.onProgress = () => {
        const status = streams.exit();
        if (status !== undefined) {
          over();
          resolve({ status, signal: undefined });
        } else if (!this.open) {
          over();
          this.closed(streams).then(resolve, reject);
        }
      };
      after(this.connection.beginSeconds * 1000, () => {
        if (streams.signal?.aborted) return;
        this.unresponsive = !streams.hasBegun();
        if (this.unresponsive) cancel();
      });
      streams.signal?.addEventListener("abort", cancel, { once: true });
      if (streams.signal?.aborted) cancel();
      else this.write((this.loaderSent ? NEXT : LOADER + GO_HOME) + this.library.missing(needs) + text);
      this.loaderSent = true;
      this.onProgress();
    });
  }

  private async closed(streams: Streams): Promise<ScriptOutput> {
    if (this.unresponsive) throw unresponsiveShell(this.host, this.connection.beginSeconds);
    if (this.status !== undefined) return { status: this.status ?? undefined, signal: this.signal };
    // Cut because it was interrupted.
    if (streams.signal?.aborted) return { status: undefined, signal: undefined };
    const cause = this.connection.lost();
    throw new SshError(this.host, `the connection was lost${cause ? ` (${cause.message})` : ""}`, { cause });
  }
}
