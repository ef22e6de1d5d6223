import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import type { Client, ClientChannel, PseudoTtyOptions } from "ssh2";
import { orInterrupted } from "../abort.ts";
import { InterruptedError, type MrskError, SshError } from "../errors.ts";
import {
  ATTACHED_SHELL,
  type Attachment,
  joinPipes,
  joinTerminal,
  type Pipes,
  UNRESPONSIVE_TERMINAL,
  type Terminal,
  windowOf,
} from "./attach.ts";
import { type ScriptOutput, RemoteShell, type RenderedScript, SHELL, type Streams } from "./remote-shell.ts";

/** sshd allows 10 channels, and frees a slot only after the client has closed it. 4 were never refused (measured). */
const CHANNELS = 4;
const CHANNEL_REFUSED = 2;
const LONGEST_TIMER = 2 ** 31 - 1;

/** Time limits of a session. */
export interface TimeLimits {
  /** After this time without use the connection is closed. */
  readonly idleSeconds: number;
  /** For the server to open a channel, terminal and command included. */
  readonly answerSeconds: number;
  /** For a shell to begin a script. */
  readonly beginSeconds: number;
}

/** One authenticated connection to one host; scripts may overlap on it. */
export class Session {
  readonly host: string;
  private readonly client: Client;
  private readonly channels = pLimit(CHANNELS);
  private readonly limits: TimeLimits;
  private lost: Error | undefined;
  private inUse = 0;
  private idle: NodeJS.Timeout | undefined;
  /** A shell that has run a script and can run another: reuse saves a channel, and two of three round trips. */
  private waiting: RemoteShell | undefined;

  constructor(client: Client, host: string, limits: TimeLimits) {
    this.client = client;
    this.host = host;
    this.limits = limits;
    client.on("error", (error) => (this.lost ??= error));
    client.on("close", () => {
      this.lost ??= new Error("connection closed");
      clearTimeout(this.idle);
    });
    this.waitForUse();
  }

  /** Whether the connection is open and takes new work. */
  get usable(): boolean {
    return this.lost === undefined;
  }

  private waitForUse(): void {
    if (this.inUse > 0) return;
    clearTimeout(this.idle);
    // With a longer time setTimeout would fire immediately.
    const milliseconds = Math.min(this.limits.idleSeconds * 1000, LONGEST_TIMER);
    this.idle = setTimeout(() => {
      this.lost ??= new Error(`not used for ${this.limits.idleSeconds} s`);
      this.close();
    }, milliseconds);
    this.idle.unref();
  }

  /** Marks the connection as used until the returned function is called. */
  private use(): () => void {
    clearTimeout(this.idle);
    this.inUse++;
    return () => {
      this.inUse--;
      if (this.usable) this.waitForUse();
      else if (this.inUse === 0) this.close();
    };
  }

  /** New work gets a new connection; this one is closed when its last use ends. */
  private retire(why: string): void {
    this.lost ??= new Error(why);
  }

  /** Marks the connection as used until the channel is closed. */
  private async used(opening: () => Promise<ClientChannel>): Promise<ClientChannel> {
    const ended = this.use();
    try {
      const channel = await opening();
      return channel.once("close", ended);
    } catch (error) {
      ended();
      throw error;
    }
  }

  /**
   * Sends a rendered script (`renderScript`) to the standard input of a shell. Reuses the shell of an earlier script.
   * @throws SshError when there is no exit status: not connected, the connection was lost, or the script did not begin
   */
  script(sent: RenderedScript, streams: Streams): Promise<ScriptOutput> {
    const run = async () => {
      const ended = this.use();
      try {
        return await this.runScript(sent, streams);
      } finally {
        ended();
      }
    };
    return streams.endless ? run() : this.channels(run);
  }

  private async runScript(sent: RenderedScript, streams: Streams): Promise<ScriptOutput> {
    const waiting = this.takeWaiting();
    if (!waiting) return this.runWith(await this.newShell(streams.signal), sent, streams);
    const result = this.runWith(waiting, sent, streams);
    await result.catch(() => {});
    const again = waiting.endedUnnoticed && !streams.hasBegun() && this.usable && !streams.signal?.aborted;
    return again ? this.runWith(await this.newShell(streams.signal), sent, streams) : result;
  }

  private async newShell(signal: AbortSignal | undefined): Promise<RemoteShell> {
    return new RemoteShell(await this.opened(SHELL, { signal }), this.host, {
      beginSeconds: this.limits.beginSeconds,
      lost: () => this.lost,
      retire: () => this.retire("a channel was not closed by the server"),
    });
  }

  private takeWaiting(): RemoteShell | undefined {
    const { waiting } = this;
    this.waiting = undefined;
    return waiting?.usable ? waiting : undefined;
  }

  private async runWith(shell: RemoteShell, sent: RenderedScript, streams: Streams): Promise<ScriptOutput> {
    try {
      return await shell.run(sent, streams);
    } finally {
      if (this.waiting?.usable) shell.end();
      else if (shell.usable) this.waiting = shell;
    }
  }

  /** Runs the result of `renderAttached` in a remote terminal, joined to the user's. @returns, @throws as `joinTerminal` */
  async terminal(user: Terminal, attachment: Given): Promise<number> {
    const pty = { term: user.type, ...windowOf(user.output), modes: UNRESPONSIVE_TERMINAL };
    const channel = await this.open(ATTACHED_SHELL, { pty, signal: attachment.signal });
    return joinTerminal(channel, user, this.attachment(attachment));
  }

  /** As `terminal`, with pipes. Does not wait for a channel slot: commands that share one input wait for each other. */
  async pipes(pipes: Pipes, attachment: Given): Promise<number> {
    const channel = await this.open(ATTACHED_SHELL, { signal: attachment.signal });
    return joinPipes(channel, pipes, this.attachment(attachment));
  }

  private attachment(given: Given): Attachment {
    return { host: this.host, beginSeconds: this.limits.beginSeconds, ...given };
  }

  private open(command: string, how: Opening): Promise<ClientChannel> {
    return this.used(() => this.opened(command, how));
  }

  /** Retries while the server refuses the channel because another one is still being closed. */
  private async opened(command: string, { pty, signal }: Opening): Promise<ClientChannel> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.answered(() => this.exec(command, pty), signal);
      } catch (error) {
        const refused = (error as { reason?: unknown }).reason === CHANNEL_REFUSED;
        if (!refused || tries >= 100) throw this.openingError(error);
      }
      await delay(20);
    }
  }

  /** Closes a channel that the server opens too late. @throws NoAnswer after `answerSeconds`, InterruptedError */
  private async answered(open: () => Promise<ClientChannel>, signal?: AbortSignal): Promise<ClientChannel> {
    const opening = open();
    const answer = Promise.race([opening, noAnswer(this.limits.answerSeconds)]);
    try {
      return await orInterrupted(answer, signal);
    } catch (error) {
      opening.then(
        (channel) => channel.close(),
        () => {},
      );
      throw error;
    }
  }

  private exec(command: string, pty?: PseudoTtyOptions): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const opened = (error: Error | undefined, channel: ClientChannel) => (error ? reject(error) : resolve(channel));
      // ssh2 throws synchronously when the connection is lost.
      if (pty) this.client.exec(command, { pty }, opened);
      else this.client.exec(command, opened);
    });
  }

  private openingError(error: unknown): MrskError {
    if (error instanceof InterruptedError) return error;
    if (error instanceof NoAnswer) {
      this.retire("it did not open a channel");
      const hint = "The server accepts the login and then hangs: check its load, its disks and sshd's log.";
      return new SshError(this.host, `the server did not open a channel within ${this.limits.answerSeconds} s`, {
        hint,
      });
    }
    const lost = this.lost ? `the connection was lost (${this.lost.message})` : "could not open a channel";
    return new SshError(this.host, lost, { cause: error });
  }

  /** A raw stream from the host to an address, for connections through it. */
  forward(address: string, port: number): Promise<ClientChannel> {
    const forwarding = () =>
      new Promise<ClientChannel>((resolve, reject) => {
        this.client.forwardOut("127.0.0.1", 0, address, port, (error, channel) =>
          error ? reject(error) : resolve(channel),
        );
      });
    return this.used(() => this.answered(forwarding)).catch((error: unknown) => {
      const why = (error as Error).message;
      throw new SshError(this.host, `cannot reach ${address}:${port} from here (${why})`, { cause: error });
    });
  }

  close(): void {
    this.lost ??= new Error("closed");
    this.client.end();
    this.client.destroy();
  }
}

/** How a channel is opened. */
interface Opening {
  readonly pty?: PseudoTtyOptions;
  /** Ends the wait for the server's answer. */
  readonly signal: AbortSignal | undefined;
}

type Given = Omit<Attachment, "host" | "beginSeconds">;

class NoAnswer extends Error {}

async function noAnswer(seconds: number): Promise<never> {
  await delay(seconds * 1000, undefined, { ref: false });
  throw new NoAnswer(`no answer within ${seconds} s`);
}
