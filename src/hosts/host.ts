import type { Body } from "../commands/command.ts";
import type { Script } from "../commands/script.ts";

/** What one step of a script left behind. Text is UTF-8, untrimmed. */
export interface StepResult {
  readonly name: string;
  /** undefined when the step was not reached, or not ended. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** By arrival on this side. */
  readonly seconds: number;
}

export interface ScriptResult {
  readonly steps: readonly StepResult[];
  /** Standard output of the named step, trimmed. @throws Error when the script has no such step (a bug). */
  text(step: string): string;
  /** Exit status of the named step; undefined when it was not reached. */
  status(step: string): number | undefined;
}

export interface OutputChunk {
  readonly host: string;
  readonly step: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** The text with the script's secrets blotted out: for a log. */
  readonly masked: string;
}

export interface RunOptions {
  /** Output as it comes, for what the user asked to see (`app exec`, `logs -f`). */
  readonly onOutput?: (chunk: OutputChunk) => void;
  /** Ends the script's standard input: its processes get TERM, its clean-up runs. */
  readonly signal?: AbortSignal;
}

/** A server, or this machine. Implemented over ssh, over local processes, and by a fake in tests. */
export interface Host {
  /** As the config names it. */
  readonly name: string;

  /**
   * Runs the steps in order, one round trip.
   * @throws CommandFailedError naming the step when a `must` or `capture` step fails (its `stepOutput` has what was printed)
   * @throws SshError when the connection cannot be made or is lost
   */
  run(script: Script, options?: RunOptions): Promise<ScriptResult>;

  /** Runs one command with the user's terminal on it; resolves with its exit status. */
  terminal(body: Body): Promise<number>;

  /** What follows logs in anew, and so has the groups that the login user was put into meanwhile. */
  reconnect(): Promise<void>;
}
