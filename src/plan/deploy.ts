import { offersLiveFiles } from "../commands/traefik.ts";
import { roleLabels, containerLabels, ID_LABEL } from "../commands/labels.ts";
import { containerName, containerPrefix, versionOf } from "../commands/names.ts";
import { joinCuts } from "../commands/network.ts";
import { expand } from "../commands/expansion.ts";
import type { Config, Role } from "../config/config.ts";
import type { RoleOnHost } from "../hosts/select.ts";
import { type ContainerFact, type HostFacts, isUp, readsLiveFiles } from "./facts.ts";
import { decideTraefik, type TraefikPlan, traefikProblems } from "./traefik.ts";

/** How requests find the role's container on a host. */
export type Routing = "live-file" | "labels" | "none";

/** The container that is to be live: a new one, or one that was kept. */
export interface NextContainer {
  readonly name: string;
  readonly version: string;
  readonly labels: ReadonlyMap<string, string>;
  /** A container that is there, and taken as it is; undefined: a new one is made. */
  readonly kept: ContainerFact | undefined;
}

/** What happens to one role on one host. */
export interface RolePlan {
  readonly role: Role;
  readonly routing: Routing;
  readonly next: NextContainer;
  /** The container that is live now. */
  readonly old: ContainerFact | undefined;
  /** Where none is live: the one that was, before `app stop`. */
  readonly stopped: ContainerFact | undefined;
  /** Other running containers of the role: left by crashes or by hand. Stopped when the old one is. */
  readonly stale: readonly ContainerFact[];
  /** A container in the way of the next one's name: renamed when it may be gone back to, else removed. */
  readonly inTheWay: { readonly container: ContainerFact; readonly newName: string | undefined } | undefined;
  /** Stopped containers beyond what is retained, oldest first. */
  readonly surplus: readonly ContainerFact[];
}

/** What happens on one host. */
export interface HostPlan {
  readonly host: string;
  readonly facts: HostFacts;
  readonly roles: readonly RolePlan[];
  readonly traefik: TraefikPlan;
  /** Why Traefik cannot work there, a line each. */
  readonly traefikProblems: readonly string[];
  /** The network that a Traefik which is there has to join. */
  readonly join: string | undefined;
}

export interface Decision {
  readonly config: Config;
  readonly version: string;
  readonly targets: readonly RoleOnHost[];
  readonly facts: ReadonlyMap<string, HostFacts>;
  /** New hex digits; called in a fixed order, so a test can count. */
  readonly newId: (digits: number) => string;
  /** Whether a kept container of the version is taken as it is (rollback), or a new one made (deploy). */
  readonly reuse: boolean;
  /** The arguments Traefik would be started with, to see whether it differs. */
  readonly traefikArguments: readonly string[];
}

/** Facts to work. Pure: the same question gives the same answer. */
export function decide(decision: Decision): HostPlan[] {
  return decision.targets.map((target) => {
    const facts = decision.facts.get(target.host)!;
    const routed = target.roles.some((role) => role.traefik);
    const traefik = routed
      ? decideTraefik(decision.config, decision.traefikArguments, facts)
      : ({ action: "none" } as const);
    return {
      host: target.host,
      facts,
      roles: target.roles.map((role) => decideRole(decision, role, facts, traefik)),
      traefik,
      traefikProblems: traefikProblems(decision.config, traefik, facts),
      join: networkToJoin(decision.config, facts, traefik),
    };
  });
}

function networkToJoin({ network }: Config, { traefik }: HostFacts, { action }: TraefikPlan): string | undefined {
  if (action === "none" || network === undefined || !traefik) return undefined;
  return [network, "host"].some((name) => traefik.networks.includes(name)) ? undefined : network;
}

function decideRole(decision: Decision, role: Role, facts: HostFacts, traefik: TraefikPlan): RolePlan {
  const { config, version } = decision;
  const mine = containersOf(config, role, facts);
  const routing = routingOf(config, role, facts, traefik);
  const old = liveContainer(config, role, facts);
  const stopped = old ? undefined : stoppedContainer(config, role, facts);
  const name = containerName(config, role, version);
  const sameName = mine.find((container) => container.name === name);
  const kept = decision.reuse ? sameName : undefined;
  const next: NextContainer = kept
    ? { name, version, labels: kept.labels, kept }
    : { name, version, labels: nextLabels(decision, role, facts, routing), kept: undefined };
  const running = mine.filter((container) => isUp(container) && container !== old && container !== kept);
  return {
    role,
    routing,
    next,
    old,
    stopped,
    stale: running,
    inTheWay:
      sameName && !kept
        ? {
            container: sameName,
            newName: isUp(sameName) || sameName === stopped ? `${name}_replaced_${decision.newId(16)}` : undefined,
          }
        : undefined,
    surplus: surplusOf(config, mine, old, kept, stopped),
  };
}

function nextLabels(decision: Decision, role: Role, facts: HostFacts, routing: Routing): Map<string, string> {
  const { config } = decision;
  const plain = new Map([...roleLabels(config, role)].map(([key, value]) => [key, expand(value, facts.expansions)]));
  const id = decision.newId(8);
  return routing === "live-file" ? containerLabels(plain, id) : new Map([...plain, [ID_LABEL, id]]);
}

function routingOf(config: Config, role: Role, facts: HostFacts, traefik: TraefikPlan): Routing {
  if (!role.traefik) return "none";
  if (traefik.action === "run") return facts.liveDirectoryWritable && offersLiveFiles(config) ? "live-file" : "labels";
  return facts.traefik && readsLiveFiles(facts.traefik) && facts.liveDirectoryWritable ? "live-file" : "labels";
}

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
  return running.find(namedBy(config, role, facts)) ?? running[0];
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
  return mine.find(namedBy(config, role, facts)) ?? released;
}

/** Whether the role's live file leads to a container. */
function namedBy(config: Config, role: Role, facts: HostFacts): (container: ContainerFact) => boolean {
  const name = containerPrefix(config, role);
  const service = liveServiceOf(facts.liveFiles.get(name) ?? "", name);
  return (container) => service !== undefined && definesService(container, service);
}

function definesService(container: ContainerFact, service: string): boolean {
  const prefix = `traefik.http.services.${service}.`.toLowerCase();
  return [...container.labels.keys()].some((label) => label.toLowerCase().startsWith(prefix));
}

/** The service that the live router `name` of the file leads to, without its provider. */
function liveServiceOf(text: string, name: string): string | undefined {
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.trim() === `${name}:` && line.startsWith("    "));
  if (at < 0) return undefined;
  for (const line of lines.slice(at + 1)) {
    if (/^ {0,4}\S/.test(line)) return undefined;
    const service = /^ {6}service: (.+)@docker$/.exec(line)?.[1];
    if (service !== undefined) return service;
  }
  return undefined;
}

function surplusOf(
  config: Config,
  mine: readonly ContainerFact[],
  ...needed: (ContainerFact | undefined)[]
): ContainerFact[] {
  const stopped = mine.filter(
    (container) => !isUp(container) && container.state !== "paused" && !needed.includes(container),
  );
  // The old one is about to be the newest stopped one.
  const keep = Math.max(0, config.retainContainers - (needed[0] ? 1 : 0));
  return stopped.slice(keep).toReversed();
}

/** What cannot work on a host, found before anything is touched: a line each. */
export function obstacles(plan: HostPlan): string[] {
  const found = [...plan.traefikProblems];
  if (plan.traefik.action === "keep" && plan.join !== undefined && joinCuts(plan.join, plan.facts.traefik!.networks)) {
    found.push(
      `Traefik is not on the network ${plan.join}, and joining it now would cut the requests under way. Run \`mrsk traefik reboot\` first`,
    );
  }
  for (const role of plan.roles) {
    if (role.routing === "labels" && role.old && !sameRouting(role.old.labels, role.next.labels)) {
      found.push(
        `the routing labels of role ${role.role.name} change, and this Traefik reads no live files: requests would be lost. Run \`mrsk traefik reboot\` first`,
      );
    }
  }
  return found;
}

function sameRouting(old: ReadonlyMap<string, string>, next: ReadonlyMap<string, string>): boolean {
  const routing = (labels: ReadonlyMap<string, string>) =>
    [...labels]
      .filter(([name]) => name.startsWith("traefik."))
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join("\n");
  return routing(old) === routing(next);
}
