import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import type { Client, ClientChannel, PseudoTtyOptions } from "ssh2";
import { SshError } from "../errors.ts";
import {
  ATTACHED_SHELL,
  type Attachment,
  joinPipes,
  joinTerminal,
  type Pipes,
  SILENT_TERMINAL,
  silentShell,
  type Terminal,
  windowOf,
} from "./attach.ts";

/** sshd allows 10 channels and frees a slot only after the client's close: 4 never met a refusal (measured). */
const CHANNELS = 4;
const HEARTBEAT_MILLISECONDS = 5000;
const FIRST_MARK_MILLISECONDS = 30_000;
const SHELL = "exec /bin/sh -s";
/** After a cancel, the time the server's clean-up has before the channel is cut. */
const GRACE_MILLISECONDS = 8000;
const CHANNEL_REFUSED = 2;
const LONGEST_TIMER = 2 ** 31 - 1;

export interface Carried {
  /** undefined when the remote process was killed by a signal. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
}

export interface Streams {
  readonly onStdout: (bytes: Buffer) => void;
  readonly onStderr: (bytes: Buffer) => void;
  /** Whether a mark of the script has been seen: until then, a login shell may have swallowed it. */
  readonly hasBegun: () => boolean;
  readonly signal?: AbortSignal | undefined;
  /** Goes on until somebody ends it, and so must not keep one of the few channels from others. */
  readonly endless?: boolean | undefined;
}

/** One authenticated connection to one host; scripts may overlap on it. */
export class Session {
  readonly host: string;
  private readonly client: Client;
  private readonly channels = pLimit(CHANNELS);
  private readonly idleSeconds: number;
  private lost: Error | undefined;
  private inUse = 0;
  private idle: NodeJS.Timeout | undefined;
  private scripts = 0;
  /** A shell that waits for the next script. Gives nothing when it could not be had, or has ended meanwhile. */
  private waiting: Promise<() => ClientChannel | undefined> | undefined;

  /** @param idleSeconds after so long without use the connection is closed */
  constructor(client: Client, host: string, idleSeconds: number) {
    this.client = client;
    this.host = host;
    this.idleSeconds = idleSeconds;
    client.on("error", (error) => (this.lost ??= error));
    client.on("close", () => {
      this.lost ??= new Error("connection closed");
      clearTimeout(this.idle);
    });
    this.waitForUse();
  }

  /** false once the connection is gone. */
  get usable(): boolean {
    return this.lost === undefined;
  }

  private waitForUse(): void {
    if (this.inUse > 0) return;
    clearTimeout(this.idle);
    // A longer time is none to setTimeout, which would fire at once.
    const milliseconds = Math.min(this.idleSeconds * 1000, LONGEST_TIMER);
    this.idle = setTimeout(() => {
      this.lost ??= new Error(`not used for ${this.idleSeconds} s`);
      this.close();
    }, milliseconds);
    this.idle.unref();
  }

  /** The connection counts as used while a channel is opened, and until it closes. */
  private async used(opening: () => Promise<ClientChannel>): Promise<ClientChannel> {
    clearTimeout(this.idle);
    this.inUse++;
    const ended = () => {
      this.inUse--;
      if (this.usable) this.waitForUse();
    };
    try {
      const channel = await opening();
      return channel.once("close", ended);
    } catch (error) {
      ended();
      throw error;
    }
  }

  /**
   * Carries a rendered script (`renderScript`) on standard input, which stays open to the end: its end means "stop".
   * @throws SshError when there is no exit status to give: not connected, link lost, nothing of the script began
   */
  script(text: string, streams: Streams): Promise<Carried> {
    const carried = async () => {
      const channel = await this.shell();
      const carrying = this.carry(channel, text, streams);
      this.expectMore();
      return carrying;
    };
    return streams.endless ? carried() : this.channels(carried);
  }

  private async shell(): Promise<ClientChannel> {
    const { waiting } = this;
    this.waiting = undefined;
    const channel = (await waiting)?.();
    return channel ? this.used(async () => channel) : this.open(SHELL);
  }

  /**
   * A host that has had two scripts will have more: the shell for the next one is opened while this one runs, which saves
   * two of its three round trips. It does not count as use of the connection.
   */
  private expectMore(): void {
    this.scripts++;
    if (this.scripts < 2 || this.waiting) return;
    this.waiting = this.exec(SHELL).then(
      (channel) => {
        let open = true;
        const ended = () => void (open = false);
        channel.on("error", ended).once("exit", ended).once("close", ended);
        // What nobody reads keeps its end from being noticed; a login shell's greeting is all there may be.
        channel.resume();
        channel.stderr.resume();
        return () => (open ? channel : undefined);
      },
      () => () => undefined,
    );
  }

  private carry(channel: ClientChannel, text: string, streams: Streams): Promise<Carried> {
    return new Promise((resolve, reject) => {
      let status: number | null | undefined;
      let signal: string | undefined;
      let silent = false;
      const timers = [setInterval(() => channel.writable && channel.write("\n"), HEARTBEAT_MILLISECONDS)];
      const after = (milliseconds: number, what: () => void) => void timers.push(setTimeout(what, milliseconds));
      const cancel = () => {
        channel.end();
        after(GRACE_MILLISECONDS, () => channel.close());
      };
      after(FIRST_MARK_MILLISECONDS, () => {
        silent = !streams.hasBegun();
        if (silent) cancel();
      });
      streams.signal?.addEventListener("abort", cancel, { once: true });
      channel.on("data", streams.onStdout);
      channel.stderr.on("data", streams.onStderr);
      channel.on("exit", (code: number | null, name?: string) => {
        status = code;
        signal = name;
      });
      channel.on("error", () => {});
      channel.on("close", () => {
        for (const timer of timers) clearTimeout(timer);
        streams.signal?.removeEventListener("abort", cancel);
        if (silent) {
          reject(silentShell(this.host));
        } else if (status === undefined && streams.signal?.aborted) {
          resolve({ status: undefined, signal: undefined }); // cut because it was interrupted
        } else if (status === undefined) {
          reject(
            new SshError(this.host, `the connection was lost${this.lost ? ` (${this.lost.message})` : ""}`, {
              cause: this.lost,
            }),
          );
        } else {
          resolve({ status: status ?? undefined, signal });
        }
      });
      if (streams.signal?.aborted) cancel();
      else channel.write(text);
    });
  }

  /** Runs what `renderAttached` gave with a terminal of its own, joined to the person's. @returns, @throws as `joinTerminal` */
  async terminal(person: Terminal, attachment: Omit<Attachment, "host">): Promise<number> {
    const pty = { term: person.type, ...windowOf(person.output), modes: SILENT_TERMINAL };
    return joinTerminal(await this.open(ATTACHED_SHELL, pty), person, { host: this.host, ...attachment });
  }

  /** The same with pipes in place of the terminal. No turn is waited for: who shares an input waits for all others. */
  async pipes(pipes: Pipes, attachment: Omit<Attachment, "host">): Promise<number> {
    return joinPipes(await this.open(ATTACHED_SHELL), pipes, { host: this.host, ...attachment });
  }

  /** The server refuses a channel while another one is still being closed: worth another try. */
  private async open(command: string, pty?: PseudoTtyOptions): Promise<ClientChannel> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.used(() => this.exec(command, pty));
      } catch (error) {
        const refused = (error as { reason?: unknown }).reason === CHANNEL_REFUSED;
        if (!refused || tries >= 100) throw this.explained(error);
      }
      await delay(20);
    }
  }

  private exec(command: string, pty?: PseudoTtyOptions): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const opened = (error: Error | undefined, channel: ClientChannel) => (error ? reject(error) : resolve(channel));
      // ssh2 throws this one synchronously when the connection is gone.
      if (pty) this.client.exec(command, { pty }, opened);
      else this.client.exec(command, opened);
    });
  }

  private explained(error: unknown): SshError {
    const lost = this.lost ? `the connection was lost (${this.lost.message})` : "could not open a channel";
    return new SshError(this.host, lost, { cause: error });
  }

  /** A raw stream to an address as the host sees it, for connections that go through it. */
  forward(address: string, port: number): Promise<ClientChannel> {
    const opening = () =>
      new Promise<ClientChannel>((resolve, reject) => {
        this.client.forwardOut("127.0.0.1", 0, address, port, (error, channel) =>
          error
            ? reject(
                new SshError(this.host, `cannot reach ${address}:${port} from here (${error.message})`, {
                  cause: error,
                }),
              )
            : resolve(channel),
        );
      });
    return this.used(opening);
  }

  close(): void {
    this.lost ??= new Error("closed");
    this.client.end();
    this.client.destroy();
  }
}
