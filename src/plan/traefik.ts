import { expand } from "../commands/expansion.ts";
import { hostPorts, PROBE_PORT, restartPolicy } from "../commands/traefik.ts";
import { REPLACEMENT_CONTAINERS } from "../traefik/replace.ts";
import type { Config } from "../config/config.ts";
import type { HostFacts, HostContainer, TraefikFact } from "./facts.ts";
import { engineProblem } from "./traefik-engine.ts";
import { TRAEFIK } from "../shell/constants.ts";

export type TraefikPlan =
  | { readonly action: "none" | "run" | "start" }
  /** Runs. `differs` describes how its settings differ from deploy.yml; undefined: not at all. No deploy changes it. */
  | { readonly action: "keep"; readonly differs: string | undefined };

/** @param wantedArguments the arguments of a Traefik of this configuration */
export function decideTraefik(config: Config, wantedArguments: readonly string[], facts: HostFacts): TraefikPlan {
  const { traefik } = facts;
  if (!traefik) return { action: "run" };
  if (!isRunning(traefik)) return { action: "start" };
  const wanted = wantedArguments.map((argument) => expand(argument, facts.expansions));
  return { action: "keep", differs: difference(config, wanted, traefik, facts.expansions) };
}

function isRunning(traefik: TraefikFact): boolean {
  return traefik.state === "running" || traefik.state === "restarting";
}

function difference(
  config: Config,
  wanted: readonly string[],
  seen: TraefikFact,
  expansions: ReadonlyMap<string, string>,
): string | undefined {
  if (seen.image !== config.traefik.image) {
    return `its image is ${seen.image}, configured is ${config.traefik.image}`;
  }
  const labels = [...config.traefik.labels].filter(
    ([key, value]) => seen.labels.get(key) !== expand(value, expansions),
  );
  const published = seen.ports.map((port) => Number(port.slice(port.lastIndexOf(":") + 1)));
  const ports = hostPorts(config).filter((port) => port !== PROBE_PORT && !published.includes(port));
  const missing = wanted.filter((arg) => !seen.args.includes(arg));
  const surplus = seen.args.filter((arg) => !wanted.includes(arg));
  const found = [
    missing.length > 0 && `it lacks ${missing.join(" ")}`,
    surplus.length > 0 && `it has ${surplus.join(" ")}`,
    ports.length > 0 && `it does not publish ${ports.join(", ")}`,
    labels.length > 0 && `its labels differ: ${labels.map(([key]) => key).join(", ")}`,
  ].filter(Boolean);
  return found.length > 0 ? found.join("; ") : undefined;
}

/** Why Traefik cannot work on a host, a line each. Found before anything is changed. */
export function traefikProblems(config: Config, plan: TraefikPlan, facts: HostFacts): string[] {
  if (plan.action === "none") return [];
  const image = plan.action === "run" ? config.traefik.image : facts.traefik!.image;
  const engine = engineProblem(image, facts);
  const taken =
    plan.action === "keep"
      ? []
      : hostPorts(config).flatMap((port) => {
          const who = facts.listeners.get(port);
          // Probes then use the address of the new container.
          if (port === PROBE_PORT && plan.action === "run") return [];
          const other = port === config.traefik.hostPort ? ", or set traefik.host_port" : "";
          return who === undefined ? [] : [`port ${port}, which Traefik needs, is taken by ${who}: stop it${other}`];
        });
  return [...(engine === undefined ? [] : [engine]), ...taken];
}

/** The plan to replace Traefik on a host. */
export interface ReplacementPlan {
  /** Whether a second Traefik serves meanwhile. */
  readonly bridged: boolean;
  /** Whether a second Traefik tries the new settings before the replacement. */
  readonly tried: boolean;
  /** Why connections are refused meanwhile; undefined if none are. */
  readonly cost: string | undefined;
  readonly policy: string;
}

export function decideReplacement(config: Config, facts: HostFacts): ReplacementPlan {
  const policy = restartPolicy(config);
  const running = facts.traefik !== undefined && isRunning(facts.traefik);
  const fixed = ownNetwork(config);
  if (!running) return { bridged: false, tried: false, cost: undefined, policy };
  if (fixed !== undefined) return { bridged: false, tried: false, cost: `Traefik has ${fixed}`, policy };
  if (facts.redirects) return { bridged: true, tried: true, cost: undefined, policy };
  const cost =
    facts.root || facts.sudo ? "there is no iptables" : `${facts.user} is not root and has no sudo without a password`;
  return { bridged: false, tried: true, cost, policy };
}

/** A network setting that only one container can have at a time. */
function ownNetwork({ network, traefik }: Config): string | undefined {
  const configured = traefik.options.get("network") ?? traefik.options.get("net") ?? network;
  const mode = typeof configured === "string" ? configured : "";
  if (mode === "host" || mode.startsWith("container:")) return `the network ${mode}`;
  return ["ip", "ip6", "mac-address"].some((option) => traefik.options.has(option)) ? "a fixed address" : undefined;
}

/** Whether it is the name of Traefik's container, or of one of its replacement. */
export function isTraefik(name: string): boolean {
  return name === TRAEFIK || REPLACEMENT_CONTAINERS.includes(name);
}

/** Other users of Traefik on a host: other services, other destinations of this service, containers without a service. */
export function traefikUsers(config: Config, containers: readonly HostContainer[]): string[] {
  const own = [config.service, ...config.accessories.map(({ service }) => service)];
  const others = containers.flatMap(({ name, labels }) => {
    if (isTraefik(name) || ![...labels.keys()].some((key) => key.startsWith("traefik."))) return [];
    const service = labels.get("service");
    const destination = labels.get("destination") || undefined;
    if (service === undefined) return [`container ${name}`];
    if (!own.includes(service)) return [destination === undefined ? service : `${service} (${destination})`];
    return service === config.service && destination !== config.destination
      ? [`${service} (${destination ?? "without a destination"})`]
      : [];
  });
  return [...new Set(others)].toSorted();
}
