import { Chalk, type ChalkInstance } from "chalk";
import { lineByLine } from "../lines.ts";
import type { Report, RunEvent } from "../events.ts";
import { printable, uncolored } from "./printable.ts";

export type Verbosity = "quiet" | "normal" | "verbose";

/** The part of a stream that views need. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/**
 * Prints one line for each event on standard error, and output in whole lines, in whatever pieces it arrives. Standard
 * output is for the results of commands.
 */
export function lineReport(stderr: TextSink, verbosity: Verbosity, color: boolean): Report {
  const paint = new Chalk({ level: color ? 1 : 0 });
  const print = (text: string | undefined) => text !== undefined && stderr.write(`${text}\n`);
  const streams = new Map<string, ReturnType<typeof lineByLine>>();
  const stream = (key: string, prefix: string) => {
    const known = streams.get(key);
    if (known) return known;
    const made = lineByLine((line) => print(prefix + printable(uncolored(overwritten(line)))));
    streams.set(key, made);
    return made;
  };
  return (event) => {
    if (event.kind === "progress") {
      if (verbosity === "normal") stream(`${event.host} progress`, "  ").add(event.text);
    } else if (event.kind === "output") {
      const key = `${event.host} ${event.step} ${event.stream}`;
      if (verbosity === "verbose") stream(key, `  ${paint.blue(event.host)} | `).add(event.text);
    } else {
      if (event.kind === "step-end") for (const part of endedBy(event)) streams.get(part)?.end();
      print(format(cleaned(event), verbosity, paint));
    }
  };
}

type Printed = Exclude<RunEvent, { kind: "progress" | "output" }>;

/** Before mrsk adds its colours: texts from elsewhere may not have any. */
function cleaned(event: Printed): Printed {
  const entries = Object.entries(event).map(([key, value]) => [
    key,
    typeof value === "string" ? printable(value) : value,
  ]);
  return Object.fromEntries(entries) as Printed;
}

/** The streams that end with the step; their last line may have no newline. */
function endedBy({ host, step }: RunEvent & { kind: "step-end" }): string[] {
  return [`${host} progress`, `${host} ${step} stdout`, `${host} ${step} stderr`];
}

function format(event: Printed, verbosity: Verbosity, paint: ChalkInstance): string | undefined {
  if (verbosity === "quiet") return event.kind === "warning" ? paint.yellow(named(event.host, event.text)) : undefined;
  const verbose = verbosity === "verbose";
  switch (event.kind) {
    case "title":
      return paint.magenta(event.text);
    case "note":
      return `  ${named(event.host && paint.blue(event.host), event.text)}`;
    case "warning":
      return paint.yellow(`  ${named(event.host, event.text)}`);
    case "finished":
      return `  ${event.what} in ${event.seconds.toFixed(1)} seconds`;
    case "step-start":
      return verbose ? `  ${paint.blue(event.host)} ${paint.yellow(event.step)}: ${event.command}` : undefined;
    default:
      return verbose
        ? `  ${paint.blue(event.host)} ${event.step}: ${event.status === 0 ? "done" : paint.red(`exit status ${event.status}`)} after ${event.seconds.toFixed(2)} s`
        : undefined;
  }
}

function named(host: string | undefined, text: string): string {
  return host ? `${host}  ${text.replaceAll("\n", `\n  `)}` : text;
}

/** The final text of a line that a progress bar has overwritten. */
function overwritten(line: string): string {
  const text = line.replace(/\r$/, "");
  return text.slice(text.lastIndexOf("\r") + 1);
}
