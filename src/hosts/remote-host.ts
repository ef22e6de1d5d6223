import { randomBytes } from "node:crypto";
import { type Body, render } from "../commands/command.ts";
import { renderScript, type Script } from "../commands/script.ts";
import { MrskError, ExitCode } from "../errors.ts";
import type { Connections } from "../ssh/connections.ts";
import type { Terminal } from "../ssh/session.ts";
import type { Host, RunOptions, ScriptResult } from "./host.ts";
import { ScriptRun, type StepEvents } from "./script-run.ts";

/** A server, over its pooled connection. */
export class RemoteHost implements Host {
  readonly name: string;
  private readonly connections: Pick<Connections, "session">;
  private readonly events: StepEvents;
  private readonly person: Terminal;

  constructor(name: string, connections: Pick<Connections, "session">, events: StepEvents, person: Terminal) {
    this.name = name;
    this.connections = connections;
    this.events = events;
    this.person = person;
  }

  async run(script: Script, options: RunOptions = {}): Promise<ScriptResult> {
    const session = await this.connections.session(this.name);
    const nonce = randomBytes(12).toString("hex");
    const run = new ScriptRun(this.name, script, nonce, this.events, options);
    const { status, signal } = await session.script(renderScript(script, nonce), {
      onStdout: (bytes) => run.feed("stdout", bytes),
      onStderr: (bytes) => run.feed("stderr", bytes),
      hasBegun: () => run.begun,
      signal: options.signal,
    });
    return run.finish(status, signal);
  }

  async terminal(body: Body): Promise<number> {
    const session = await this.connections.session(this.name);
    const command = render(body, (secret) => {
      throw new MrskError(ExitCode.bug, `the secret ${secret.name} would be in an argument list`);
    });
    return session.terminal(command, this.person);
  }

  async reconnect(): Promise<void> {
    const session = await this.connections.session(this.name);
    session.close();
  }
}
