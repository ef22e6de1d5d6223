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
export function knownVersion(run: Run, facts: ReadonlyMap<string, HostFacts>, typed: string): string {
  const [version = typed, ...others] = candidates(checkedVersion(typed), versionsOn(run.config, facts.values()));
  if (others.length === 0) return version;
  throw new UsageError(`${typed} is the begin of several versions: ${[version, ...others].join(", ")}`, {
    hint: "Name one of them with more digits.",
  });
}

/** The same, for a command that has not looked at the hosts: it does so only for a short id. */
export async function soughtVersion(run: Run, typed: string): Promise<string> {
  return isShortId(typed) ? knownVersion(run, await observeHosts(run, appHosts(run)), typed) : typed;
}

/** The run with its version as the hosts know it, for a command that has not looked at them. */
export async function runOfSoughtVersion(run: Run): Promise<Run> {
  const version = await soughtVersion(run, await run.version());
  return { ...run, version: async () => version };
}

/** The same, while they are looked at. @param looking what is seen of them, awaited only for a short id */
export function withKnownVersion(run: Run, looking: () => Promise<ReadonlyMap<string, HostFacts>>): Run {
  const version = async () => {
    const typed = await run.version();
    return isShortId(typed) ? knownVersion(run, await looking(), typed) : typed;
  };
  return { ...run, version };
}

/** The run with `--version` as the hosts know it. */
export function withKnownGivenVersion(run: Run, facts: ReadonlyMap<string, HostFacts>): Run {
  if (run.givenVersion === undefined) return run;
  return { ...run, givenVersion: knownVersion(run, facts, run.givenVersion) };
}
