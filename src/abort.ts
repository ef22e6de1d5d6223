import { InterruptedError } from "./errors.ts";

/**
 * Does work with a separate signal, which `stop` aborts, and `signal` too.
 * @param work may call `stop` at any time, and more than once
 */
export async function stoppable<T>(
  signal: AbortSignal | undefined,
  work: (own: AbortSignal, stop: () => void) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const stop = () => own.abort();
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted) stop();
  try {
    return await work(own.signal, stop);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

/**
 * Waits for `work`, but only until `signal` aborts. The caller must handle a later result or error of `work`.
 * @throws InterruptedError
 */
export async function orInterrupted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  let interrupt = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = () => reject(new InterruptedError());
  });
  signal?.addEventListener("abort", interrupt, { once: true });
  if (signal?.aborted) interrupt();
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    signal?.removeEventListener("abort", interrupt);
  }
}
