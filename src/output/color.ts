/**
 * Whether lines are coloured: `NO_COLOR`, `FORCE_COLOR` and MRSK's `SSHKIT_COLOR` decide; without them, a terminal that is
 * not in CI has colours.
 */
export function wantsColor(environment: Record<string, string | undefined>, terminal: boolean | undefined): boolean {
  const { NO_COLOR, FORCE_COLOR, SSHKIT_COLOR, CI } = environment;
  if (NO_COLOR || FORCE_COLOR === "0") return false;
  if (FORCE_COLOR || SSHKIT_COLOR) return true;
  return terminal === true && !CI;
}
