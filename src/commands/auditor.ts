import type { Config } from "../config/config.ts";
import { type Command, raw } from "./command.ts";
import { auditFile } from "./names.ts";

export interface AuditEntry {
  /** UTC without fractions. */
  readonly at: string;
  readonly performer: string;
  readonly role?: string | undefined;
  readonly text: string;
}

/** Appends one line to the audit log: `[time] [who] [destination] [role] text`. */
export function record(config: Config, entry: AuditEntry): Command {
  const tags = [entry.at, entry.performer, config.destination, entry.role].filter((tag) => tag !== undefined);
  const line = `${tags.map((tag) => `[${tag}]`).join(" ")} ${entry.text.replaceAll(/\s*\n\s*/g, " ")}`;
  return ["printf", raw(String.raw`'%s\n'`), line, raw(">>"), auditFile(config)];
}

/** The last 50 lines; nothing when there is no log yet. */
export function reveal(config: Config): Command {
  return ["tail", "-n", "50", auditFile(config), raw("2>/dev/null || true")];
}
