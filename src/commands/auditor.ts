import type { Config } from "../config/config.ts";
import { type Command, raw, type Shell, sh } from "./command.ts";
import { auditFile } from "./names.ts";
import { oneLine } from "./one-line.ts";

export interface AuditEntry {
  /** UTC without fractions. */
  readonly at: string;
  readonly performer: string;
  readonly role?: string | undefined;
  readonly text: string;
}

/** Appends a line for each to the audit log, which is the login user's own: `[time] [who] [destination] [role] text`. */
export function record(config: Config, ...entries: readonly AuditEntry[]): Shell {
  const lines = entries.map((entry) => lineOf(config, entry));
  const append: Command = ["printf", raw(String.raw`'%s\n'`), ...lines, raw(">>"), auditFile(config)];
  return sh`umask 077
${append}`;
}

function lineOf(config: Config, entry: AuditEntry): string {
  const tags = [entry.at, entry.performer, config.destination, entry.role].filter((tag) => tag !== undefined);
  return oneLine(`${tags.map((tag) => `[${tag}]`).join(" ")} ${entry.text}`);
}

/** The last 50 lines; nothing when there is no log yet. */
export function reveal(config: Config): Command {
  return ["tail", "-n", "50", auditFile(config), raw("2>/dev/null || true")];
}
