import { UsageError } from "../errors.ts";
import type { HostFacts } from "../plan/facts.ts";
import { candidates, isShortId, versionsOn } from "../plan/versions.ts";
import { observeHosts } from "./observe.ts";
import { appHosts, type Run } from "./run.ts";
import { checkedVersion } from "./version.ts";

/**
 * The version that was meant: a short id is that of the version on the hosts that begins with it, and anything else, or a
 * short id that no host has, is as typed.
 * @throws UsageError for a short id of several versions, and for what is no version
 */
export function resolveVersion(run: Run, facts: ReadonlyMap<string, HostFacts>, typed: string): string {
  const [version = typed, ...others] = candidates(checkedVersion(typed), versionsOn(run.config, facts.values()));
  if (others.length === 0) return version;
  throw new UsageError(`${typed} matches several versions: ${[version, ...others].join(", ")}`, {
    hint: "Name one of them with more digits.",
  });
}

/** The same, for a command that has not observed the hosts: only a short id takes that. */
export async function observeAndResolve(run: Run, typed: string): Promise<string> {
  return isShortId(typed) ? resolveVersion(run, await observeHosts(run, appHosts(run)), typed) : typed;
}

/** The run with its version as the hosts know it, for a command that has not observed them. */
export async function withResolvedVersion(run: Run): Promise<Run> {
  const version = await observeAndResolve(run, await run.version());
  return { ...run, version: async () => version };
}

/** The same, while they are observed. @param observing awaited only for a short id */
export function withVersionFrom(run: Run, observing: () => Promise<ReadonlyMap<string, HostFacts>>): Run {
  const version = async () => {
    const typed = await run.version();
    return isShortId(typed) ? resolveVersion(run, await observing(), typed) : typed;
  };
  return { ...run, version };
}

/** The run with `--version` as the hosts know it. */
export function withResolvedGivenVersion(run: Run, facts: ReadonlyMap<string, HostFacts>): Run {
  if (run.givenVersion === undefined) return run;
  return { ...run, givenVersion: resolveVersion(run, facts, run.givenVersion) };
}
