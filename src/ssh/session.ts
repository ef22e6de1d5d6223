import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import type { Client, ClientChannel } from "ssh2";
import { SshError } from "../errors.ts";

/** sshd allows 10 channels and frees a slot only after the client's close: 4 never met a refusal (measured). */
const CHANNELS = 4;
const HEARTBEAT_MILLISECONDS = 5000;
const FIRST_MARK_MILLISECONDS = 30_000;
/** After a cancel, the time the server's clean-up has before the channel is cut. */
const GRACE_MILLISECONDS = 8000;
const CHANNEL_REFUSED = 2;
const LONGEST_TIMER = 2 ** 31 - 1;

/** The terminal a person sits at. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** `TERM`. */
  readonly type: string;
}

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
    return this.channels(async () => {
      const channel = await this.open("exec /bin/sh -s");
      return this.carry(channel, text, streams);
    });
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
          const hint =
            "Something that the login shell reads at its start (.bashrc, .profile) reads standard input or does not end.";
          reject(new SshError(this.host, "the shell did not begin to work within 30 s", { hint }));
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

  /** Runs a command with a terminal of its own, joined to the person's. Resolves with its exit status. */
  async terminal(command: string, { input, output, type }: Terminal): Promise<number> {
    const size = () => ({ rows: output.rows ?? 24, cols: output.columns ?? 80 });
    const channel = await this.open(command, { term: type, ...size() });
    return new Promise((resolve, reject) => {
      let status: number | undefined;
      const resize = () => channel.setWindow(size().rows, size().cols, 0, 0);
      const forward = (bytes: Buffer) => void channel.write(bytes);
      const inputEnded = () => void channel.write("\x04");
      if (input.isTTY) input.setRawMode(true);
      output.on("resize", resize);
      input.on("data", forward);
      input.on("end", inputEnded);
      input.resume();
      channel.on("data", (bytes: Buffer) => output.write(bytes));
      channel.stderr.on("data", (bytes: Buffer) => output.write(bytes));
      channel.on("exit", (code: number | null, name?: string) => (status = code ?? (name === "INT" ? 130 : 128)));
      channel.on("close", () => {
        if (input.isTTY) input.setRawMode(false);
        output.off("resize", resize);
        input.off("data", forward).off("end", inputEnded);
        input.pause();
        if (status === undefined) reject(new SshError(this.host, "the connection was lost"));
        else resolve(status);
      });
    });
  }

  /** The server refuses a channel while another one is still being closed: worth another try. */
  private async open(command: string, pty?: { term: string; rows: number; cols: number }): Promise<ClientChannel> {
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

  private exec(command: string, pty?: { term: string; rows: number; cols: number }): Promise<ClientChannel> {
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
