/** The part of a stream that reports write errors. */
interface Output {
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
  off(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
}

/**
 * Calls `lost` when standard output or standard error cannot be written: its reader has ended (EPIPE), the disk is full
 * (ENOSPC), the terminal was closed (EIO). Without a listener, such an error ends the process immediately.
 * @returns a function that stops watching
 */
export function watchOutputs(
  outputs: Outputs,
  lost: (name: "stdout" | "stderr", error: NodeJS.ErrnoException) => void,
): () => void {
  const listeners = (["stdout", "stderr"] as const).map((name) => {
    const listener = (error: NodeJS.ErrnoException) => lost(name, error);
    outputs[name].on("error", listener);
    return () => outputs[name].off("error", listener);
  });
  return () => {
    for (const stop of listeners) stop();
  };
}

/** The error message for lost standard output; undefined if its reader has ended on purpose (`mrsk config | head -1`). */
export function outputFailure(name: "stdout" | "stderr", error: NodeJS.ErrnoException): string | undefined {
  if (name === "stderr" || error.code === "EPIPE") return undefined;
  return `ERROR: Standard output cannot be written: ${error.message}\n`;
}
