import { Chalk, type ChalkInstance } from "chalk";
import type { Report, RunEvent } from "./events.ts";

export type Verbosity = "quiet" | "normal" | "verbose";

/** The part of a stream that views need. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** One line per event on standard error. Standard output is left for what the user asked to see. */
export function lineReport(stderr: TextSink, verbosity: Verbosity, color: boolean): Report {
  const paint = new Chalk({ level: color ? 1 : 0 });
  return (event) => {
    const text = format(event, verbosity, paint);
    if (text !== undefined) stderr.write(`${text}\n`);
  };
}

function format(event: RunEvent, verbosity: Verbosity, paint: ChalkInstance): string | undefined {
  if (verbosity === "quiet") return event.kind === "warning" ? paint.yellow(named(event.host, event.text)) : undefined;
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
      return verbosity === "verbose"
        ? `  ${paint.blue(event.host)} ${paint.yellow(event.step)}: ${event.command}`
        : undefined;
    case "step-end":
      return verbosity === "verbose"
        ? `  ${paint.blue(event.host)} ${event.step}: ${event.status === 0 ? "done" : paint.red(`exit status ${event.status}`)} after ${event.seconds.toFixed(2)} s`
        : undefined;
    case "progress":
      return verbosity === "normal" ? prefixed(event.text, "  ") : undefined;
    default:
      return verbosity === "verbose" ? prefixed(event.text, `  ${paint.blue(event.host)} | `) : undefined;
  }
}

function named(host: string | undefined, text: string): string {
  return host ? `${host}  ${text.replaceAll("\n", `\n  `)}` : text;
}

function prefixed(text: string, prefix: string): string {
  return (
    text
      .replace(/\n$/, "")
      .split("\n")
      // A progress bar overwrites its line: what stands there in the end is what counts in a log.
      .map((line) => prefix + line.replace(/\r$/, "").replace(/^.*\r/, ""))
      .join("\n")
  );
}
