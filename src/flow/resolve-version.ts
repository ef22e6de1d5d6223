import { UsageError } from "../errors.ts";
import type { HostFacts } from "../plan/facts.ts";
import { candidates, isShortId, versionsOn } from "../plan/versions.ts";
import { observeHosts } from "./observe.ts";
import { appHosts, type Run } from "./run.ts";
import { checkedVersion } from "./version.ts";

/**
 * Resolves a short id to the version on the hosts that begins with it. Returns anything else, and a short id without a
 * match, as typed.
 * @throws UsageError for a short id with several matches, and for an invalid version
 */
export function resolveVersion(run: Run, facts: ReadonlyMap<string, HostFacts>, typed: string): string {
  const [version = typed, ...others] = candidates(checkedVersion(typed), versionsOn(run.config, facts.values()));
  if (others.length === 0) return version;
  throw new UsageError(`${typed} matches several versions: ${[version, ...others].join(", ")}`, {
    hint: "Use more digits.",
  });
}

/** As `resolveVersion`, for a command that has not observed the hosts: observes them only for a short id. */
export async function observeAndResolve(run: Run, typed: string): Promise<string> {
  return isShortId(typed) ? resolveVersion(run, await observeHosts(run, appHosts(run)), typed) : typed;
}

/** The requested version as the hosts name it, for a command that has not observed them. */
export async function resolveRequestedVersion(run: Run): Promise<string> {
  return observeAndResolve(run, await run.requestedVersion());
}

/** The requested version as the hosts name it. @param observing awaited only for a short id */
export async function resolveWhileObserving(
  run: Run,
  observing: Promise<ReadonlyMap<string, HostFacts>>,
): Promise<string> {
  const typed = await run.requestedVersion();
  return isShortId(typed) ? resolveVersion(run, await observing, typed) : typed;
}

/** `--version` as the hosts name it; undefined without the option. */
export function resolveGivenVersion(run: Run, facts: ReadonlyMap<string, HostFacts>): string | undefined {
  return run.givenVersion === undefined ? undefined : resolveVersion(run, facts, run.givenVersion);
}
