import { containerPrefix, versionOf } from "../config/names.ts";
import type { Config } from "../config/config.ts";
import { containersOf } from "./containers.ts";
import type { HostFacts } from "./facts.ts";

/** The versions of the containers on these hosts, and those that became live there. */
export function versionsOn(config: Config, facts: Iterable<HostFacts>): Set<string> {
  return new Set([...facts].flatMap((seen) => [...kept(config, seen), ...released(seen)]));
}

function kept(config: Config, facts: HostFacts): string[] {
  return config.roles.flatMap((role) =>
    containersOf(config, role, facts).map(({ name }) => versionOf(containerPrefix(config, role), name)!),
  );
}

function released({ releases, canaryRelease }: HostFacts): string[] {
  return canaryRelease === undefined ? [...releases] : [...releases, canaryRelease];
}

const FULL = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const SHORT = /^[0-9a-f]{7,63}$/;

/** Whether it may be the start of a full commit id. */
export function isShortId(typed: string): boolean {
  return SHORT.test(typed) && !FULL.test(typed);
}

/**
 * The versions on the hosts that a typed version may mean: itself, else each full commit id that starts with it. A date has
 * the form of a short id, but no full id starts with it.
 */
export function candidates(typed: string, versions: ReadonlySet<string>): string[] {
  if (versions.has(typed)) return [typed];
  if (!isShortId(typed)) return [];
  return [...versions].filter((version) => FULL.test(version) && version.startsWith(typed)).toSorted();
}
