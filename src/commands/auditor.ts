import type { Config } from "../config/config.ts";
import { SHOWN_AUDIT_LINES } from "../config/defaults.ts";
import { type Command, raw, type Shell, sh } from "../script/command.ts";
import { auditFile } from "../config/names.ts";
import { oneLine } from "./one-line.ts";

export interface AuditEntry {
  /** UTC without fractions. */
  readonly at: string;
  readonly performer: string;
  readonly role?: string | undefined;
  readonly text: string;
}

/** Appends one line for each entry to the audit log, readable by the login user alone: `[time] [who] [destination] [role] text`. */
export function record(config: Config, ...entries: readonly AuditEntry[]): Shell {
  const lines = entries.map((entry) => lineOf(config, entry));
  const append: Command = ["printf", raw(String.raw`'%s\n'`), ...lines, raw(">>"), auditFile(config)];
  return sh`umask 077
${append}`;
}

/** The same for a failure with the exit status in `$_ok`: `[time] [who] Failed (exit status 1): text`. */
function recordFailed(config: Config, entries: readonly AuditEntry[]): Command {
  const lines = entries.flatMap((entry) => [
    `${tagsOf(config, entry)} Failed (exit status `,
    raw('"$_ok"'),
    `): ${textOf(entry)}`,
  ]);
  return ["printf", raw(String.raw`'%s%s%s\n'`), ...lines, raw(">>"), auditFile(config)];
}

/** The body of an outcome step: records each entry, or its failure. */
export function recordOutcome(config: Config, ...entries: readonly AuditEntry[]): Shell {
  return sh`if [ "$_ok" = 0 ]
then ${record(config, ...entries)}
else ${recordFailed(config, entries)}
fi`;
}

function lineOf(config: Config, entry: AuditEntry): string {
  return `${tagsOf(config, entry)} ${textOf(entry)}`;
}

function tagsOf(config: Config, { at, performer, role }: AuditEntry): string {
  const tags = [at, performer, config.destination, role].filter((tag) => tag !== undefined);
  return oneLine(tags.map((tag) => `[${tag}]`).join(" "));
}

function textOf({ text }: AuditEntry): string {
  return oneLine(text);
}

/** Prints the last lines of the audit log, or nothing if there is no log yet. */
export function printAuditLog(config: Config): Command {
  return ["tail", "-n", SHOWN_AUDIT_LINES, auditFile(config), raw("2>/dev/null || true")];
}
