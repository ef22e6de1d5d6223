import type { Attached } from "../script/attached.ts";
import type { Script } from "../script/script.ts";
import type { Pipes } from "../ssh/attach.ts";

/** What one step of a script left behind. Text is UTF-8, untrimmed; of more than 16 MiB, the beginning and the end. */
export interface StepResult {
  readonly id: string;
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
  /** The whole standard output of the step with this id, trimmed. @throws MrskError beyond 16 MiB, Error when the script has no such step (a bug) */
  text(id: string): string;
  /** Exit status of the step; undefined when it was not reached. */
  status(id: string): number | undefined;
}

export interface OutputChunk {
  readonly host: string;
  readonly step: string;
  readonly stepId: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** The text with all known secrets blotted out: for a log. It may lag behind, where a secret may have begun. */
  readonly masked: string;
  /** As it came: `text` is all of it that is whole characters. */
  readonly bytes: Uint8Array;
}

export interface RunOptions {
  /** Output as it comes. */
  readonly onOutput?: (chunk: OutputChunk) => void;
  /**
   * For what the user asked to see (`app exec`, `logs -f`): `onOutput` alone gets it. Nothing is kept for the result or
   * an error, or it would fill the memory, and no view shows it a second time. `endless`: until somebody ends it.
   */
  readonly streamed?: "to its end" | "endless";
  /** Ends the script's standard input: its processes get TERM, its clean-up runs. */
  readonly signal?: AbortSignal;
  /** For what is done at once where nothing hangs: the script is ended after so long, connecting not counted, with an SshError. */
  readonly deadlineSeconds?: number;
}

/** A server, or this machine. Implemented over ssh, over local processes, and by a fake in tests. */
export interface ScriptHost {
  /** As the config names it. */
  readonly name: string;

  /**
   * Runs the steps in order, one round trip.
   * @throws CommandFailedError naming the step when a `must` or `capture` step fails
   * @throws SshError when the connection cannot be made or is lost
   */
  run(script: Script, options?: RunOptions): Promise<ScriptResult>;
}

export interface Host extends ScriptHost {
  /**
   * Runs one command with the user's terminal on it, or with pipes.
   * @returns its exit status
   * @throws SshError when the connection cannot be made or is lost; InterruptedError
   */
  attach(command: Attached, ends: "terminal" | Pipes, signal: AbortSignal): Promise<number>;

  /** What follows logs in anew, and so has the groups that the login user was put into meanwhile. */
  reconnect(): Promise<void>;
}
