/** The result of one step. Text is UTF-8, untrimmed; beyond 16 MiB, only its beginning and its end. */
export interface StepResult {
  readonly id: string;
  readonly name: string;
  /** undefined if the step has not run, or has not ended. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Measured between the arrivals of its markers. */
  readonly seconds: number;
}

export interface ScriptResult {
  readonly steps: readonly StepResult[];
  /** The complete standard output of the step, trimmed. @throws MrskError beyond 16 MiB, Error if the script has no such step (a bug) */
  text(id: string): string;
  /** Exit status of the step; undefined if it has not run. */
  status(id: string): number | undefined;
}

export interface OutputChunk {
  readonly host: string;
  readonly step: string;
  readonly stepId: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** The text with all known secrets masked, for a log. Its end may be held back if it could be the beginning of a secret. */
  readonly masked: string;
  /** Unchanged. `text` contains only the complete characters. */
  readonly bytes: Uint8Array;
}

export interface RunOptions {
  /** Receives the output as it arrives. */
  readonly onOutput?: (chunk: OutputChunk) => void;
  /**
   * For output that the user requested (`app exec`, `logs -f`): only `onOutput` gets it. The result and errors do not keep
   * it, since it could fill the memory, and no view shows it again. `endless`: until the user interrupts it.
   */
  readonly streamed?: "to its end" | "endless";
  /** Ends the script's standard input: its processes get TERM, and its clean-up runs. */
  readonly signal?: AbortSignal;
  /** Time limit without the time to connect. The script is then ended, with an SshError. */
  readonly deadlineSeconds?: number;
}
