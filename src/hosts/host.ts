import type { Duplex } from "node:stream";
import type { Attached } from "../script/attached.ts";
import type { Script } from "../script/script.ts";
import type { Pipes } from "../ssh/attach.ts";
import type { RunOptions, ScriptResult } from "../script/result.ts";

/** A server or this machine. Implemented over SSH, with local processes, and by a fake in tests. */
export interface ScriptHost {
  /** As in the configuration. */
  readonly name: string;

  /**
   * Runs the steps in order, in one round trip.
   * @throws CommandFailedError naming the step when a `must` or `capture` step fails
   * @throws SshError when the connection cannot be made or is lost
   */
  run(script: Script, options?: RunOptions): Promise<ScriptResult>;
}

export interface Host extends ScriptHost {
  /**
   * Runs one command with the user's terminal, or with pipes.
   * @returns its exit status
   * @throws SshError when the connection cannot be made or is lost; InterruptedError
   */
  attach(command: Attached, ends: "terminal" | Pipes, signal: AbortSignal): Promise<number>;

  /** A stream to a port of the host's loopback. @throws SshError, also if sshd forbids forwarding */
  connect(port: number): Promise<Duplex>;

  /** Closes the connection. The next script logs in again, with the groups that the login user has joined. */
  reconnect(): Promise<void>;
}
