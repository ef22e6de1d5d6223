import type { Report } from "../events.ts";

/** Tracks the work in progress of a run, for the message of an interruption. */
export interface Activity {
  readonly report: Report;
  /** The current part of the work, and a line for each step that runs, the oldest first. */
  readonly describe: () => string;
}

/** @param now milliseconds */
export function activity(report: Report, now: () => number = () => performance.now()): Activity {
  const steps = new Map<string, { host: string; step: string; since: number }>();
  let title = "Starting...";
  return {
    report(event) {
      if (event.kind === "title") title = event.text;
      if (event.kind === "step-start") {
        steps.set(`${event.host} ${event.script}`, { host: event.host, step: event.step, since: now() });
      } else if (event.kind === "step-end") {
        steps.delete(`${event.host} ${event.script}`);
      }
      report(event);
    },
    describe() {
      const lines = [...steps.values()].map(
        ({ host, step, since }) => `  ${host}  ${step}, for ${Math.floor((now() - since) / 1000)} s`,
      );
      return [title, ...lines].join("\n");
    },
  };
}
