import { stoppable } from "../abort.ts";
import type { Clock } from "../clock.ts";

/** Work that is aborted with `signal`, or when the time is over; `passed` says whether it was for the time. */
export function withDeadline<T>(
  clock: Clock,
  signal: AbortSignal | undefined,
  seconds: number,
  work: (signal: AbortSignal, passed: () => boolean) => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  let late = false;
  return stoppable(signal, async (own, stop) => {
    const wait = async () => {
      await clock.sleep(seconds, done.signal);
      if (done.signal.aborted || own.aborted) return;
      late = true;
      stop();
    };
    void wait();
    try {
      return await work(own, () => late);
    } finally {
      done.abort();
    }
  });
}
