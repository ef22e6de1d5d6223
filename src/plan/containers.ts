import { containerName, containerPrefix, versionOf } from "../commands/names.ts";
import type { Config, Role } from "../config/config.ts";
import { type CanaryFact, definer, liveServices, type LiveServices } from "../traefik/live-file-reader.ts";
import { type ContainerFact, type HostFacts, isUp } from "./facts.ts";

/** The role's containers of exactly this destination, newest first. */
export function containersOf(config: Config, role: Role, facts: HostFacts): ContainerFact[] {
  const prefix = containerPrefix(config, role);
  return facts.containers.filter(
    (container) =>
      container.role === role.name &&
      container.destination === config.destination &&
      versionOf(prefix, container.name) !== undefined,
  );
}

/** The running container that has the requests: the one the live file names, else the newest that runs. */
export function liveContainer(config: Config, role: Role, facts: HostFacts): ContainerFact | undefined {
  const running = containersOf(config, role, facts).filter(isUp);
  return definer(running, servicesOf(config, role, facts).live) ?? running[0];
}

/** The version of the container that has the requests; undefined when none runs. */
export function liveVersion(config: Config, role: Role, facts: HostFacts): string | undefined {
  const live = liveContainer(config, role, facts);
  return live && versionOf(containerPrefix(config, role), live.name);
}

/**
 * Where nothing of the role runs, what was live last: the container the live file names, else the one of the latest
 * release that is still there. Never what a failed deploy left.
 */
export function stoppedContainer(config: Config, role: Role, facts: HostFacts): ContainerFact | undefined {
  const mine = containersOf(config, role, facts);
  const released = facts.releases
    .toReversed()
    .map((version) => mine.find(({ name }) => name === containerName(config, role, version)))
    .find((container) => container !== undefined);
  return definer(mine, servicesOf(config, role, facts).live) ?? released;
}

/** The container that has the requests, or had them when it was stopped. */
export function lastLiveContainer(config: Config, role: Role, facts: HostFacts): ContainerFact | undefined {
  const mine = containersOf(config, role, facts);
  return definer(mine, servicesOf(config, role, facts).live) ?? mine.find(({ name }) => !name.includes("_replaced_"));
}

/** The container that has a share of the live one's requests, or had: it may have stopped since. */
export function canaryOf(config: Config, role: Role, facts: HostFacts): CanaryFact | undefined {
  const mine = containersOf(config, role, facts);
  const { canary } = servicesOf(config, role, facts);
  const container = definer(mine, canary?.service);
  return container && canary && { container, percent: canary.percent };
}

/** Whether a change of version did not end here: the old container runs on, without requests. */
export function isUnfinished(config: Config, role: Role, facts: HostFacts): boolean {
  const last = definer(containersOf(config, role, facts), servicesOf(config, role, facts).last);
  return last !== undefined && isUp(last);
}

function servicesOf(config: Config, role: Role, facts: HostFacts): LiveServices {
  const name = containerPrefix(config, role);
  return liveServices(facts.liveFiles.get(name) ?? "", name);
}
