import { setTimeout as delay } from "node:timers/promises";

/** The time and waiting, as a parameter, so that tests need not wait. */
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
