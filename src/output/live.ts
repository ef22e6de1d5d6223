import { createLogUpdate } from "log-update";
import type { Report } from "./events.ts";
import { printable } from "./printable.ts";
import type { TextSink } from "./report.ts";

/** The part of a terminal that the live view needs. */
export interface TerminalSink extends NodeJS.WritableStream {
  readonly rows?: number;
  readonly columns?: number;
}

/** What a person sees of a run that is under way. */
export interface View {
  readonly report: Report;
  /** Does something else with the terminal: what is live steps aside meanwhile. */
  aside(work: () => void): void;
  /** Takes what is live away. */
  close(): void;
}

/** Steps shorter than that would only flicker. */
const WORTH_SHOWING_SECONDS = 0.5;
const FRAMES_PER_SECOND = 8;

/**
 * Below the lines of the plain view, one line for each host at work: what it does, and for how long. Only what has taken
 * half a second is shown, and what has taken longest comes first.
 * @param plainView the view that writes the lines
 * @param now milliseconds
 */
export function liveView(
  terminal: TerminalSink,
  plainView: (sink: TextSink) => Report,
  { now = () => performance.now() }: { now?: () => number } = {},
): View & { readonly draw: () => void } {
  const update = createLogUpdate(terminal);
  const active = new Map<string, { host: string; step: string; since: number }>();
  let shown = "";

  const clear = () => {
    if (shown !== "") update.clear();
    shown = "";
  };
  const draw = () => {
    const text = frame([...active.values()], now(), (terminal.rows ?? 24) - 2, terminal.columns ?? 80);
    if (text === "") clear();
    else if (text !== shown) update(text);
    shown = text;
  };
  const aside = (work: () => void) => {
    clear();
    work();
  };
  const plain = plainView({ write: (text) => aside(() => void terminal.write(text)) });
  const timer = setInterval(draw, 1000 / FRAMES_PER_SECOND).unref();

  return {
    draw,
    aside,
    report(event) {
      if (event.kind === "step-start" && !event.streamed) {
        active.set(`${event.host} ${event.script}`, { host: event.host, step: printable(event.step), since: now() });
      } else if (event.kind === "step-end") {
        active.delete(`${event.host} ${event.script}`);
      }
      plain(event);
    },
    close() {
      clearInterval(timer);
      active.clear();
      clear();
      update.done();
    },
  };
}

/** The lines to show, cut to the terminal's size; how many more there are, where they do not fit. */
function frame(
  steps: readonly { host: string; step: string; since: number }[],
  time: number,
  rows: number,
  columns: number,
): string {
  const worth = steps
    .map((step) => ({ ...step, seconds: (time - step.since) / 1000 }))
    .filter(({ seconds }) => seconds >= WORTH_SHOWING_SECONDS)
    .toSorted((a, b) => b.seconds - a.seconds);
  const room = Math.max(1, rows);
  const fitting = worth.length > room ? worth.slice(0, room - 1) : worth;
  const width = Math.max(0, ...fitting.map(({ host }) => host.length));
  const lines = fitting.map(({ host, step, seconds }) => `  ${host.padEnd(width)}  ${step}  ${Math.floor(seconds)} s`);
  if (fitting.length < worth.length) lines.push(`  and ${worth.length - fitting.length} more hosts`);
  return lines.map((line) => (line.length < columns ? line : `${line.slice(0, Math.max(1, columns - 2))}…`)).join("\n");
}
