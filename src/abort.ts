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
