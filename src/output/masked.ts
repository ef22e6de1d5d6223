import { MrskError } from "../errors.ts";
import type { KnownSecrets } from "../script/known-secrets.ts";
import type { Report, RunEvent } from "../events.ts";

/** A report that masks known secrets in every message: a note may contain output of a host. */
export function masked(report: Report, known: KnownSecrets): Report {
  return (event) => report(maskedEvent(event, known));
}

/** Output is masked before, as it arrives. */
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

/** The same error, with known secrets masked in its texts and those of its causes. */
export function withoutSecrets(error: unknown, known: KnownSecrets): unknown {
  for (let each = error; each instanceof Error; each = each.cause) {
    each.message = known.text(each.message);
    if (each.stack !== undefined) each.stack = known.text(each.stack);
    if (each instanceof MrskError) each.hint = each.hint && known.text(each.hint);
  }
  return error;
}
