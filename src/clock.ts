import { setTimeout as delay } from "node:timers/promises";

/** Time, handed in rather than reached for, so that tests wait for nothing. */
export interface Clock {
  now(): Date;
  /** Resolves early, without an error, when `signal` aborts. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: async (seconds, signal) => {
    await delay(seconds * 1000, undefined, signal ? { signal } : {}).catch(() => {});
  },
};
