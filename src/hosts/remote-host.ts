import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { orInterrupted } from "../abort.ts";
import { type Attached, renderAttached } from "../script/attached.ts";
import { needsOfScript, renderScript, type Script, secretsOfScript } from "../script/script.ts";
import { InterruptedError, SshError } from "../errors.ts";
import type { Connections } from "../ssh/connections.ts";
import type { Session } from "../ssh/session.ts";
import type { Pipes, Terminal } from "../ssh/attach.ts";
import type { Host } from "./host.ts";
import type { RunOptions, ScriptResult } from "../script/result.ts";
import type { KnownSecrets } from "../script/known-secrets.ts";
import { ScriptRun, type StepEvents } from "../script/script-run.ts";

/** A server, over its shared SSH connection. */
export class RemoteHost implements Host {
  readonly name: string;
  private readonly connections: Pick<Connections, "session">;
  private readonly events: StepEvents;
  private readonly terminal: Terminal;
  private readonly known: KnownSecrets;

  /** @param known secrets to mask in events and errors, in addition to the secrets of a script */
  constructor(
    name: string,
    connections: Pick<Connections, "session">,
    events: StepEvents,
    terminal: Terminal,
    known: KnownSecrets,
  ) {
    this.name = name;
    this.connections = connections;
    this.events = events;
    this.terminal = terminal;
    this.known = known;
  }

  async run(script: Script, options: RunOptions = {}): Promise<ScriptResult> {
    const session = await orInterrupted(this.connections.session(this.name), options.signal);
    const { deadlineSeconds: seconds } = options;
    if (seconds === undefined) return this.runOn(session, script, options);
    const deadline = AbortSignal.timeout(seconds * 1000);
    const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
    try {
      return await this.runOn(session, script, { ...options, signal });
    } catch (error) {
      if (!(error instanceof InterruptedError) || options.signal?.aborted) throw error;
      throw new SshError(this.name, `"${script.title}" did not end within ${seconds} s`, { cause: error });
    }
  }

  private async runOn(session: Session, script: Script, options: RunOptions): Promise<ScriptResult> {
    const nonce = randomBytes(12).toString("hex");
    const run = new ScriptRun(this.name, script, nonce, this.events, options, this.known.mask(secretsOfScript(script)));
    const { status, signal } = await session.script(
      { text: renderScript(script, nonce), needs: needsOfScript(script) },
      {
        onStdout: (bytes) => run.feed("stdout", bytes),
        onStderr: (bytes) => run.feed("stderr", bytes),
        hasBegun: () => run.begun,
        exit: () => run.exit,
        signal: options.signal,
        endless: options.streamed === "endless",
      },
    );
    return run.finish(status, signal);
  }

  async attach(command: Attached, ends: "terminal" | Pipes, signal: AbortSignal): Promise<number> {
    const session = await orInterrupted(this.connections.session(this.name), signal);
    const nonce = randomBytes(12).toString("hex");
    const terminal = ends === "terminal";
    const attachment = { text: renderAttached(command, nonce, { terminal }), nonce, signal };
    return terminal ? session.terminal(this.terminal, attachment) : session.pipes(ends, attachment);
  }

  async connect(port: number): Promise<Duplex> {
    const session = await this.connections.session(this.name);
    return session.forward("127.0.0.1", port);
  }

  async reconnect(): Promise<void> {
    const session = await this.connections.session(this.name);
    session.close();
  }
}
