import { offersLiveFiles } from "../commands/traefik.ts";
import { type Admission, admission } from "../traefik/admission.ts";
import { needsCurl } from "../commands/healthcheck.ts";
import { roleLabels, containerLabels, ID_LABEL } from "../traefik/labels.ts";
import { containerName } from "../config/names.ts";
import { expand } from "../commands/expansion.ts";
import type { Config, Role } from "../config/config.ts";
import type { CanaryFact } from "./facts.ts";
import { canaryOf, containersOf, liveContainer, stoppedContainer } from "./containers.ts";
import { type ContainerFact, type HostFacts, isUp, readsLiveFiles } from "./facts.ts";
import { decideTraefik, type TraefikPlan, traefikProblems } from "./traefik.ts";

/** What routes requests to the role's container on a host. */
type Routing = "live-file" | "labels" | "none";

/** The container that becomes live: a new one, or a kept one. */
export interface NextContainer {
  readonly name: string;
  readonly version: string;
  readonly labels: ReadonlyMap<string, string>;
  /** The existing container that starts again; undefined: a new one is created. */
  readonly kept: ContainerFact | undefined;
}

/** The plan of one role on one host. */
export interface RolePlan {
  readonly role: Role;
  readonly routing: Routing;
  readonly next: NextContainer;
  /** The live container. */
  readonly old: ContainerFact | undefined;
  /** The container that was live before `app stop`, if none is live. */
  readonly stopped: ContainerFact | undefined;
  /** Percentage of the requests that the next container gets as a weighted canary; undefined: all. */
  readonly percent: number | undefined;
  /** The next container as the weighted canary that it is already (promote); a failed promote makes it this again. */
  readonly canary: CanaryFact | undefined;
  /** Other running containers of the role, from crashes or started by hand. Stopped with the old one. */
  readonly stale: readonly ContainerFact[];
  /** A container with the next one's name: renamed if a revert or a rollback may need it, else removed. */
  readonly nameConflict: { readonly container: ContainerFact; readonly newName: string | undefined } | undefined;
  /** false if docker's health check cannot run in the image: only the probe route checks the container. */
  readonly usesDockerHealthcheck: boolean;
  /** Whether Traefik's settings let it route to the next container. */
  readonly admission: Admission;
  /** Stopped containers beyond what is retained, oldest first. */
  readonly surplus: readonly ContainerFact[];
}

/** The plan of one host. */
export interface HostPlan {
  readonly host: string;
  readonly facts: HostFacts;
  readonly roles: readonly RolePlan[];
  readonly traefik: TraefikPlan;
  /** Why Traefik cannot work on the host, a line each. */
  readonly traefikProblems: readonly string[];
  /** The network that the existing Traefik has to join. */
  readonly join: string | undefined;
}

/** Whether the next version is a weighted canary. */
export function isCanary({ roles }: Pick<HostPlan, "roles">): boolean {
  return roles.some(({ percent }) => percent !== undefined);
}

/** The input of the plan of one host. */
export interface Decision {
  readonly config: Config;
  /** Roles that the command acts on, on this host. */
  readonly roles: readonly Role[];
  readonly facts: HostFacts;
  /** The version that becomes live. */
  readonly versionOn: (facts: HostFacts, role: Role) => string;
  /** Random hex digits; called in a fixed order, so that a test can count. */
  readonly newId: (digits: number) => string;
  /** Whether a kept container of the version starts again (rollback); else a new one is created (deploy). */
  readonly reuse: boolean;
  /** Whether a running canary of the version becomes live (promote). */
  readonly promote?: boolean;
  /** Percentage of the requests for a weighted canary; undefined: all. */
  readonly percent?: number | undefined;
  /** The arguments of a Traefik of this configuration, to compare the running one. */
  readonly traefikArguments: readonly string[];
}

/** The plan of one host. Pure: equal facts give an equal plan. */
export function decide(decision: Decision): HostPlan {
  const { config, roles, facts } = decision;
  const routed = roles.some((role) => role.traefik) || routesToAccessory(config, facts.host);
  const traefik = routed ? decideTraefik(config, decision.traefikArguments, facts) : ({ action: "none" } as const);
  return {
    host: facts.host,
    facts,
    roles: roles.map((role) => decideRole(decision, role, traefik)),
    traefik,
    traefikProblems: traefikProblems(config, traefik, facts),
    join: networkToJoin(config, facts, traefik),
  };
}

/** Whether the host's Traefik routes requests to an accessory. */
export function routesToAccessory({ accessories }: Config, host: string): boolean {
  return accessories.some(({ proxy, hosts }) => proxy !== undefined && hosts.includes(host));
}

/** The network that the existing Traefik has to join; undefined: none. */
export function networkToJoin(
  { network }: Config,
  { traefik }: HostFacts,
  { action }: TraefikPlan,
): string | undefined {
  if (action === "none" || network === undefined || !traefik) return undefined;
  return [network, "host"].some((name) => traefik.networks.includes(name)) ? undefined : network;
}

function decideRole(decision: Decision, role: Role, traefik: TraefikPlan): RolePlan {
  const { config, facts } = decision;
  const version = decision.versionOn(facts, role);
  const mine = containersOf(config, role, facts);
  const routing = routingOf(config, role, facts, traefik);
  const old = liveContainer(config, role, facts);
  const stopped = old ? undefined : stoppedContainer(config, role, facts);
  const name = containerName(config, role, version);
  const sameName = mine.find((container) => container.name === name);
  const seen = routing === "live-file" ? canaryOf(config, role, facts) : undefined;
  const promotable = seen && seen.container === sameName && seen.container !== old && isUp(seen.container);
  const canary = decision.promote && promotable ? seen : undefined;
  const kept = canary?.container ?? keptContainer(decision, sameName, old);
  const next: NextContainer = kept
    ? { name, version, labels: kept.labels, kept }
    : { name, version, labels: nextLabels(decision, role, routing), kept: undefined };
  const running = mine.filter((container) => isUp(container) && container !== old && container !== kept);
  return {
    role,
    routing,
    next,
    old,
    stopped,
    percent: role.traefik ? decision.percent : undefined,
    canary,
    stale: running,
    nameConflict:
      sameName && !kept
        ? {
            container: sameName,
            newName: isUp(sameName) || sameName === stopped ? `${name}_replaced_${decision.newId(16)}` : undefined,
          }
        : undefined,
    admission: admission(facts.traefik?.args ?? decision.traefikArguments, next.labels),
    usesDockerHealthcheck: kept !== undefined || facts.imageHasCurl !== false || !needsCurl(role),
    surplus: surplusOf(config, mine, old, kept, stopped),
  };
}

function keptContainer(
  { reuse, promote }: Decision,
  sameName: ContainerFact | undefined,
  old: ContainerFact | undefined,
): ContainerFact | undefined {
  if (!sameName || !(reuse || promote)) return undefined;
  return sameName === old || reuse ? sameName : undefined;
}

function nextLabels(decision: Decision, role: Role, routing: Routing): Map<string, string> {
  const { config, facts } = decision;
  // A Traefik that this configuration describes may be the next one: without live files it would not route to a container
  // that names a transport.
  const transports = routing === "live-file" && offersLiveFiles(config);
  const written = roleLabels(config, role, { transports });
  const plain = new Map([...written].map(([key, value]) => [key, expand(value, facts.expansions)]));
  const id = decision.newId(8);
  return routing === "live-file" ? containerLabels(plain, id) : new Map([...plain, [ID_LABEL, id]]);
}

function routingOf(config: Config, role: Role, facts: HostFacts, traefik: TraefikPlan): Routing {
  if (!role.traefik) return "none";
  if (traefik.action === "run") return facts.liveDirectoryWritable && offersLiveFiles(config) ? "live-file" : "labels";
  return facts.traefik && readsLiveFiles(facts.traefik) && facts.liveDirectoryWritable ? "live-file" : "labels";
}

function surplusOf(
  config: Config,
  mine: readonly ContainerFact[],
  ...needed: (ContainerFact | undefined)[]
): ContainerFact[] {
  const stopped = mine.filter(
    (container) => !isUp(container) && container.state !== "paused" && !needed.includes(container),
  );
  // The finalize phase stops the old container, which counts as retained then.
  const keep = Math.max(0, config.retainContainers - (needed[0] ? 1 : 0));
  return stopped.slice(keep).toReversed();
}
