import { InterruptedError } from "./errors.ts";

/**
 * Work with a signal of its own, which `stop` aborts, and `signal` too.
 * @param work `stop` may be called at any time, and more than once
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
 * Waits for `work`, but not beyond the moment `signal` aborts. What it still gives is for whoever began it to deal with.
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
