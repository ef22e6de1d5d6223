import type { ClientChannel } from "ssh2";
import { GO_HOME } from "../script/home.ts";
import type { Needs } from "../script/call.ts";
import { ShellLibrary } from "../script/library.ts";
import { HEARTBEAT, HEARTBEAT_MILLISECONDS, LOADER, NEXT } from "../script/loader.ts";
import { SshError } from "../errors.ts";
import { unresponsiveShell } from "./attach.ts";

export const SHELL = "exec /bin/sh -s";
/** After a cancel: how long the cleanup on the server may take before the channel is closed. */
const GRACE_MILLISECONDS = 8000;
/** After that: how long the server may take to close the channel. */
const CLOSE_MILLISECONDS = 3000;

/** A rendered script (`renderScript`), and the shell functions that it calls. */
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
  /** Whether a mark of the script has been received: before that, the login shell may have read the script as input. */
  readonly hasBegun: () => boolean;
  /** The exit status; undefined before the script's last marks are received. */
  readonly exit: () => number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The script runs until it is interrupted, and so must not occupy one of the few channel slots. */
  readonly endless?: boolean | undefined;
}

/** The state of the connection that a shell needs. */
export interface ConnectionState {
  /** Time limit for a script to begin. */
  readonly beginSeconds: number;
  /** Why the connection was lost; undefined while it is open. */
  readonly lost: () => Error | undefined;
  /** Called when the server does not close the channel: the connection takes no new work. */
  readonly retire: () => void;
}

/** A shell on a host, on a channel that stays open. It runs one script after another. */
export class RemoteShell {
  private readonly channel: ClientChannel;
  private readonly host: string;
  private readonly connection: ConnectionState;
  private readonly heartbeat: NodeJS.Timeout;
  private loaderSent = false;
  private readonly library = new ShellLibrary();
  /** A script did not begin in time. It may still begin. */
  private unresponsive = false;
  private open = true;
  private status: number | null | undefined;
  private signal: string | undefined;
  private streams: Pick<Streams, "onStdout" | "onStderr"> | undefined;
  /** Checks whether the running script, or the shell, has ended. Called after every event. */
  private onProgress: (() => void) | undefined;

  constructor(channel: ClientChannel, host: string, connection: ConnectionState) {
    this.channel = channel;
    this.host = host;
    this.connection = connection;
    this.heartbeat = setInterval(() => this.write(HEARTBEAT), HEARTBEAT_MILLISECONDS).unref();
    channel.on("data", (bytes: Buffer) => {
      this.streams?.onStdout(bytes);
      this.onProgress?.();
    });
    // Unread output would block the channel and delay its "close" event.
    channel.stderr.on("data", (bytes: Buffer) => {
      this.streams?.onStderr(bytes);
      this.onProgress?.();
    });
    channel.on("error", () => {});
    channel.on("exit", (code: number | null, name?: string) => {
      this.status = code;
      this.signal = name;
    });
    channel.on("close", () => this.ended());
  }

  private ended(): void {
    this.open = false;
    clearInterval(this.heartbeat);
    this.onProgress?.();
  }

  /** The server does not close the channel. */
  private abandon(): void {
    if (!this.open) return;
    this.connection.retire();
    this.ended();
  }

  /** Whether the shell ended while it waited for a script: a script sent since then has not run. */
  get endedUnnoticed(): boolean {
    return !this.open && !this.unresponsive;
  }

  /** Whether it can run another script. */
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
   * A cancel ends standard input, which makes the remote script stop, clean up and end its shell.
   * @throws SshError when there is no exit status: the connection was lost, or the script did not begin
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
      const finish = () => {
        for (const timer of timers) clearTimeout(timer);
        streams.signal?.removeEventListener("abort", cancel);
        this.onProgress = undefined;
        this.streams = undefined;
      };
      this.streams = streams;
      this.onProgress = () => {
        const status = streams.exit();
        if (status !== undefined) {
          finish();
          resolve({ status, signal: undefined });
        } else if (!this.open) {
          finish();
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
    // The channel was closed because of an interruption.
    if (streams.signal?.aborted) return { status: undefined, signal: undefined };
    const cause = this.connection.lost();
    throw new SshError(this.host, `the connection was lost${cause ? ` (${cause.message})` : ""}`, { cause });
  }
}
