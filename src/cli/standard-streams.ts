/** The part of a stream that tells whether it can be written. */
interface Output {
  on(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
  off(event: "error", listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
}

/**
 * Calls `lost` when standard output or standard error cannot be written any more, whatever the reason: the reader has
 * gone (EPIPE), the disk is full (ENOSPC), the terminal is closed (EIO). Without a listener such an error ends the process
 * where it stands.
 * @returns a function that stops it
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

/** What was asked for cannot be shown: a failure, unless its reader wanted no more (`mrsk config | head -1`). */
export function outputFailure(name: "stdout" | "stderr", error: NodeJS.ErrnoException): string | undefined {
  if (name === "stderr" || error.code === "EPIPE") return undefined;
  return `ERROR: Standard output cannot be written: ${error.message}\n`;
}
