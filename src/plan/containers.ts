import { containerName, containerPrefix, versionOf } from "../config/names.ts";
import type { Config, Role } from "../config/config.ts";
import { definer, liveServices, type LiveServices } from "../traefik/live-file-reader.ts";
import { type CanaryFact, type ContainerFact, type HostFacts, isUp } from "./facts.ts";

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

/** The live container: the running container that the live file names, else the newest running one. */
export function liveContainer(config: Config, role: Role, facts: HostFacts): ContainerFact | undefined {
  const running = containersOf(config, role, facts).filter(isUp);
  return definer(running, servicesOf(config, role, facts).live) ?? running[0];
}

/** The version of the live container; undefined if none runs. */
export function liveVersion(config: Config, role: Role, facts: HostFacts): string | undefined {
  const live = liveContainer(config, role, facts);
  return live && versionOf(containerPrefix(config, role), live.name);
}

/**
 * The last live container of a role of which none runs: the container that the live file names, else that of the newest
 * deployed version that still exists. Never the container of a failed deploy.
 */
export function stoppedContainer(config: Config, role: Role, facts: HostFacts): ContainerFact | undefined {
  const mine = containersOf(config, role, facts);
  const released = facts.releases
    .toReversed()
    .map((version) => mine.find(({ name }) => name === containerName(config, role, version)))
    .find((container) => container !== undefined);
  return definer(mine, servicesOf(config, role, facts).live) ?? released;
}

/** The live container, running or stopped. */
export function lastLiveContainer(config: Config, role: Role, facts: HostFacts): ContainerFact | undefined {
  const mine = containersOf(config, role, facts);
  return definer(mine, servicesOf(config, role, facts).live) ?? mine.find(({ name }) => !name.includes("_replaced_"));
}

/** The weighted canary of the role, running or stopped. */
export function canaryOf(config: Config, role: Role, facts: HostFacts): CanaryFact | undefined {
  const mine = containersOf(config, role, facts);
  const { canary } = servicesOf(config, role, facts);
  const container = definer(mine, canary?.service);
  return container && canary && { container, percent: canary.percent };
}

/** Whether a deploy was interrupted between switch and finalize: the old container still runs, without requests. */
export function isUnfinished(config: Config, role: Role, facts: HostFacts): boolean {
  const last = definer(containersOf(config, role, facts), servicesOf(config, role, facts).last);
  return last !== undefined && isUp(last);
}

function servicesOf(config: Config, role: Role, facts: HostFacts): LiveServices {
  const name = containerPrefix(config, role);
  return liveServices(facts.liveFiles.get(name) ?? "", name);
}
