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
  readonly say: (text: string) => void;
}

/** A closed terminal counts as Ctrl-C: its lock would stay otherwise. */
const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** What ends at once needs no words about its end. */
const WORTH_SAYING_MILLISECONDS = 300;

/**
 * The first Ctrl-C, SIGTERM or SIGHUP aborts the run, which then goes back, or finishes what must not stay half-way. Each
 * further one tells what is going on; where nothing is held, it ends the process.
 */
export function interruptible(
  target: Interruptible,
  { mustFinish, describe, say }: InterruptOptions,
): { readonly signal: AbortSignal; readonly abort: () => void; readonly close: () => void } {
  const controller = new AbortController();
  let saying: NodeJS.Timeout | undefined;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      const text = `\nInterrupted: coming to a safe end (once more to see what is under way). ${describe()}\n`;
      saying = setTimeout(() => say(text), WORTH_SAYING_MILLISECONDS);
      controller.abort();
    } else if (mustFinish()) {
      say(`\nNot yet: the deploy lock is held, and is freed at the end. ${describe()}\n`);
    } else {
      target.exit(130);
    }
  };
  for (const signal of SIGNALS) target.on(signal, onSignal);
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    close: () => {
      clearTimeout(saying);
      for (const signal of SIGNALS) target.off(signal, onSignal);
    },
  };
}
