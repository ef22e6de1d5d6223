import { containerPrefix, versionOf } from "../commands/names.ts";
import type { Config } from "../config/config.ts";
import { containersOf } from "./containers.ts";
import type { HostFacts } from "./facts.ts";

/** Versions that containers have on these hosts, or that went live there. */
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

/** Whether a full id may begin with it: nothing else needs the versions of the hosts. */
export function isShortId(typed: string): boolean {
  return SHORT.test(typed) && !FULL.test(typed);
}

/**
 * Which of the versions there a version as typed may stand for: itself, else each full id that begins with it. One that
 * merely looks like an id (a date) stands for no longer one of its kind.
 */
export function candidates(typed: string, there: ReadonlySet<string>): string[] {
  if (there.has(typed)) return [typed];
  if (!isShortId(typed)) return [];
  return [...there].filter((version) => FULL.test(version) && version.startsWith(typed)).toSorted();
}
