import { MrskError } from "../errors.ts";
import type { KnownSecrets } from "../script/known-secrets.ts";
import type { Report, RunEvent } from "./events.ts";

/** A report whose words hold no known secret, wherever they come from: a host's answer may be part of a note. */
export function masked(report: Report, known: KnownSecrets): Report {
  return (event) => report(maskedEvent(event, known));
}

/** Output was masked as it came, piece by piece. */
function maskedEvent(event: RunEvent, known: KnownSecrets): RunEvent {
  switch (event.kind) {
    case "title":
    case "note":
    case "warning":
      return { ...event, text: known.text(event.text) };
    case "step-start":
      return { ...event, step: known.text(event.step), command: known.text(event.command) };
    case "step-end":
      return { ...event, step: known.text(event.step) };
    default:
      return event;
  }
}

/** The same error, its words and those of its causes without known secrets. */
export function withoutSecrets(error: unknown, known: KnownSecrets): unknown {
  for (let each = error; each instanceof Error; each = each.cause) {
    each.message = known.text(each.message);
    if (each.stack !== undefined) each.stack = known.text(each.stack);
    if (each instanceof MrskError) each.hint = each.hint && known.text(each.hint);
  }
  return error;
}
