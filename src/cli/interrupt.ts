/** The part of the process that an interruption needs. Tests pass a fake. */
export interface Interruptible {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): unknown;
}

export interface InterruptOptions {
  /** Whether ending the process now would leave the deploy lock taken, or a deploy unfinished on a host. */
  readonly mustFinish: () => boolean;
  /** Describes the work in progress. */
  readonly describe: () => string;
  /** Describes what remains on the servers if the process ends now, and the commands that clean up. */
  readonly remaining: () => string;
  readonly print: (text: string) => void;
}

/** A closed terminal (SIGHUP) is handled like Ctrl-C: otherwise the lock would remain. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** A run that stops within this time prints no message about it. */
const MESSAGE_DELAY_MILLISECONDS = 300;

/**
 * A run that holds the lock cannot be ended within this time. It is longer than a clean-up on a server, and than the time
 * between the two signals of a CI system that cancels a job (GitHub: 7.5 s).
 */
const GRACE_MILLISECONDS = 15_000;

/**
 * The first Ctrl-C, SIGTERM or SIGHUP aborts the run, which then reverts, or finishes a step that must not remain
 * unfinished. A further signal prints the work in progress. It ends the process if the lock is not held, and in any case
 * after 15 s, since a server may never answer.
 */
export function interruptible(
  target: Interruptible,
  { mustFinish, describe, remaining, print }: InterruptOptions,
): { readonly signal: AbortSignal; readonly abort: () => void; readonly close: () => void } {
  const controller = new AbortController();
  let message: NodeJS.Timeout | undefined;
  let since = 0;
  const abort = () => {
    if (controller.signal.aborted) return;
    since = Date.now();
    const text = `\nInterrupted, stopping safely. Press Ctrl-C again to see what is running. ${describe()}\n`;
    message = setTimeout(() => print(text), MESSAGE_DELAY_MILLISECONDS);
    controller.abort();
  };
  const onSignal = () => {
    if (!controller.signal.aborted) return abort();
    if (!mustFinish()) return void target.exit(130);
    const seconds = Math.ceil((since + GRACE_MILLISECONDS - Date.now()) / 1000);
    if (seconds > 0) {
      const later = `In ${seconds} s, Ctrl-C will end the run immediately.`;
      return print(`\nNot yet: the deploy lock is held, and is released at the end. ${describe()}\n${later}\n`);
    }
    print(`\nEnded immediately. ${remaining()}\n`);
    target.exit(130);
  };
  for (const signal of SIGNALS) target.on(signal, onSignal);
  return {
    signal: controller.signal,
    abort,
    close: () => {
      clearTimeout(message);
      for (const signal of SIGNALS) target.off(signal, onSignal);
    },
  };
}
