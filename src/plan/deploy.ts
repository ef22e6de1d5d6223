import { offersLiveFiles } from "../commands/traefik.ts";
import { type Admission, admission } from "../traefik/admission.ts";
import { needsCurl } from "../commands/healthcheck.ts";
import { roleLabels, containerLabels, ID_LABEL } from "../traefik/labels.ts";
import { containerName } from "../commands/names.ts";
import { expand } from "../commands/expansion.ts";
import type { Config, Role } from "../config/config.ts";
import type { CanaryFact } from "../traefik/live-file-reader.ts";
import { canaryOf, containersOf, liveContainer, stoppedContainer } from "./containers.ts";
import { type ContainerFact, type HostFacts, isUp, readsLiveFiles } from "./facts.ts";
import { decideTraefik, type TraefikPlan, traefikProblems } from "./traefik.ts";

/** How requests find the role's container on a host. */
type Routing = "live-file" | "labels" | "none";

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
  /** Of the requests, what the next one gets beside the old one; undefined: all. */
  readonly share: number | undefined;
  /** The next one when it runs as a canary already: then this is what it goes back to be. */
  readonly canary: CanaryFact | undefined;
  /** Other running containers of the role: left by crashes or by hand. Stopped when the old one is. */
  readonly stale: readonly ContainerFact[];
  /** A container in the way of the next one's name: renamed when it may be gone back to, else removed. */
  readonly nameConflict: { readonly container: ContainerFact; readonly newName: string | undefined } | undefined;
  /** false where the image cannot run what docker would ask it with: Traefik's preview asks alone. */
  readonly usesDockerHealthcheck: boolean;
  /** Whether Traefik's settings let it route to the next container. */
  readonly admission: Admission;
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

/** Whether the new version gets a share of the requests only. */
export function isCanary({ roles }: Pick<HostPlan, "roles">): boolean {
  return roles.some(({ share }) => share !== undefined);
}

/** What the plan of one host depends on. */
export interface Decision {
  readonly config: Config;
  /** Roles that the command acts on, on this host. */
  readonly roles: readonly Role[];
  readonly facts: HostFacts;
  /** The version that the role shall run on the host. */
  readonly versionOn: (facts: HostFacts, role: Role) => string;
  /** New hex digits; called in a fixed order, so a test can count. */
  readonly newId: (digits: number) => string;
  /** Whether a kept container of the version is taken as it is (rollback), or a new one made (deploy). */
  readonly reuse: boolean;
  /** Whether a canary of the version that runs is taken as it is. */
  readonly promote?: boolean;
  /** Of the requests, what the version gets beside the one that is live; undefined: all. */
  readonly share?: number | undefined;
  /** The arguments Traefik would be started with, to see whether it differs. */
  readonly traefikArguments: readonly string[];
}

/** The plan of one host. Pure: equal facts give an equal plan. */
export function decide(decision: Decision): HostPlan {
  const { config, roles, facts } = decision;
  const routed = roles.some((role) => role.traefik);
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

function networkToJoin({ network }: Config, { traefik }: HostFacts, { action }: TraefikPlan): string | undefined {
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
    share: role.traefik ? decision.share : undefined,
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
  const plain = new Map([...roleLabels(config, role)].map(([key, value]) => [key, expand(value, facts.expansions)]));
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
  // The old one is about to be the newest stopped one.
  const keep = Math.max(0, config.retainContainers - (needed[0] ? 1 : 0));
  return stopped.slice(keep).toReversed();
}
