import { raw, sh } from "../script/command.ts";

/**
 * Defines `clock`, which sets `$now`: hundredths of a second since the server started. It takes no process of its own, and
 * does not jump when somebody sets the time.
 */
export const CLOCK = sh`clock() { read -r now _ </proc/uptime; now=${raw("${now%.*}${now#*.}")}; }`;

/** What `clock` counts in. */
export function hundredths(seconds: number): number {
  return Math.round(seconds * 100);
}
