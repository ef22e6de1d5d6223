/** What of the process an interruption touches; tests give their own. */
export interface Interruptible {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): unknown;
}

export interface InterruptOptions {
  /** Whether leaving now would leave the deploy lock behind, or a host half-way. */
  readonly mustFinish: () => boolean;
  /** What is going on. */
  readonly describe: () => string;
  /** What an end at this moment would leave, and what to type then. */
  readonly leftBehind: () => string;
  readonly say: (text: string) => void;
}

/** A closed terminal counts as Ctrl-C: its lock would stay otherwise. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** What ends at once needs no words about its end. */
const WORTH_SAYING_MILLISECONDS = 300;

/**
 * As long a run that holds the lock cannot be ended. Longer than clean-up on a server takes, and than what lies between
 * the two signals of a CI system that cancels a job (GitHub: 7.5 s).
 */
const GRACE_MILLISECONDS = 15_000;

/**
 * The first Ctrl-C, SIGTERM or SIGHUP aborts the run, which then reverts, or finishes what must not stay half-way. A
 * further one shows what is going on; it ends the process where nothing is held, and in any case after 15 s, since a server
 * may never answer.
 */
export function interruptible(
  target: Interruptible,
  { mustFinish, describe, leftBehind, say }: InterruptOptions,
): { readonly signal: AbortSignal; readonly abort: () => void; readonly close: () => void } {
  const controller = new AbortController();
  let saying: NodeJS.Timeout | undefined;
  let since = 0;
  const abort = () => {
    if (controller.signal.aborted) return;
    since = Date.now();
    const text = `\nInterrupted, stopping safely. Press Ctrl-C again to see what is running. ${describe()}\n`;
    saying = setTimeout(() => say(text), WORTH_SAYING_MILLISECONDS);
    controller.abort();
  };
  const onSignal = () => {
    if (!controller.signal.aborted) return abort();
    if (!mustFinish()) return void target.exit(130);
    const seconds = Math.ceil((since + GRACE_MILLISECONDS - Date.now()) / 1000);
    if (seconds > 0) {
      const later = `After ${seconds} s more, the next Ctrl-C ends the run at once.`;
      return say(`\nNot yet: the deploy lock is held, and is released at the end. ${describe()}\n${later}\n`);
    }
    say(`\nEnded at once. ${leftBehind()}\n`);
    target.exit(130);
  };
  for (const signal of SIGNALS) target.on(signal, onSignal);
  return {
    signal: controller.signal,
    abort,
    close: () => {
      clearTimeout(saying);
      for (const signal of SIGNALS) target.off(signal, onSignal);
    },
  };
}
