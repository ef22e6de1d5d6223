import { createLogUpdate } from "log-update";
import type { Report } from "../events.ts";
import { printable } from "./printable.ts";
import type { TextSink } from "./report.ts";

/** The part of a terminal that the live view needs. */
export interface TerminalSink extends NodeJS.WritableStream {
  readonly rows?: number;
  readonly columns?: number;
}

/** The output of a run on standard error. */
export interface View {
  readonly report: Report;
  /** Removes the live lines, and does work that writes to the terminal. They are drawn again afterwards. */
  withoutLiveLines(work: () => void): void;
  /** Removes the live lines for good. */
  close(): void;
}

/** Shorter steps would only flicker. */
const WORTH_SHOWING_SECONDS = 0.5;
const FRAMES_PER_SECOND = 8;

/**
 * The plain view with live lines below it: one for each host at work, with its step and how long it has taken. Steps are
 * shown after half a second, the longest first.
 * @param plainView makes the view that prints events as lines
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
  const withoutLiveLines = (work: () => void) => {
    clear();
    work();
  };
  const plain = plainView({ write: (text) => withoutLiveLines(() => void terminal.write(text)) });
  const timer = setInterval(draw, 1000 / FRAMES_PER_SECOND).unref();

  return {
    draw,
    withoutLiveLines,
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

/** The live lines, cut to the terminal's size. If they do not fit, the last line has the number of further hosts. */
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
