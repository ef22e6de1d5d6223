import { expand } from "../commands/expansion.ts";
import { hostPorts, PROBE_PORT, publishesTls, restartPolicy } from "../commands/traefik.ts";
import { isTlsFlag, TLS_PORT } from "../traefik/entry-points.ts";
import { REPLACEMENT_CONTAINERS } from "../traefik/replace.ts";
import type { Config, Traefik } from "../config/config.ts";
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
  const ports = unpublished(config, seen);
  const elsewhere = wronglyPublished(config.traefik, seen);
  // A Traefik of an earlier mrsk cannot serve TLS, which matters only where a role has certificates.
  const matters = (arg: string) => needsTls(config) || !isTlsFlag(arg);
  const missing = wanted.filter((arg) => !seen.args.includes(arg) && matters(arg));
  const surplus = seen.args.filter((arg) => !wanted.includes(arg));
  const found = [
    missing.length > 0 && `it lacks ${missing.join(" ")}`,
    surplus.length > 0 && `it has ${surplus.join(" ")}`,
    ports.length > 0 && `it does not publish ${ports.join(", ")}`,
    elsewhere.length > 0 && `it publishes ${elsewhere.join(", ")}`,
    labels.length > 0 && `its labels differ: ${labels.map(([key]) => key).join(", ")}`,
  ].filter(Boolean);
  return found.length > 0 ? found.join("; ") : undefined;
}

/** Whether a role has certificates. */
function needsTls({ roles }: Config): boolean {
  return roles.some(({ traefik, proxy }) => traefik && proxy !== undefined && proxy.ssl !== false);
}

/** The ports of the configuration that the running Traefik does not publish, with addresses if those differ alone. */
function unpublished(config: Config, seen: TraefikFact): string[] {
  const { bindIps, hostPort } = config.traefik;
  const ports = new Set(seen.ports.map((port) => Number(port.slice(port.lastIndexOf(":") + 1))));
  return hostPorts(config).flatMap((port) => {
    if (port === PROBE_PORT) return [];
    if (!ports.has(port)) return [String(port)];
    if (port !== hostPort) return [];
    if (bindIps.length > 0) return bindIps.map((ip) => `${ip}:${port}`).filter((one) => !seen.ports.includes(one));
    return EVERYWHERE.some((ip) => seen.ports.includes(`${ip}:${port}`)) ? [] : [`${port} at every address`];
  });
}

const EVERYWHERE = ["0.0.0.0", "::"];

/** Where the running Traefik publishes `hostPort` besides the configured addresses. */
function wronglyPublished({ bindIps, hostPort, options }: Traefik, seen: TraefikFact): string[] {
  if (hostPort === undefined || bindIps.length === 0 || options.has("publish")) return [];
  const wanted = bindIps.map((ip) => `${ip}:${hostPort}`);
  return seen.ports.filter((port) => port.endsWith(`:${hostPort}`) && !wanted.includes(port));
}

/** Why Traefik cannot work on a host, a line each. Found before anything is changed. */
export function traefikProblems(config: Config, plan: TraefikPlan, facts: HostFacts): string[] {
  if (plan.action === "none") return [];
  const image = plan.action === "run" ? config.traefik.image : facts.traefik!.image;
  const engine = engineProblem(image, facts);
  const taken =
    plan.action === "keep"
      ? []
      : [...hostPorts(config), ...(needsTls(config) && publishesTls(config) ? [TLS_PORT] : [])].flatMap((port) => {
          const who = isFree(port, config.traefik, facts) ? undefined : facts.listeners.get(port);
          // Probes then use the address of the new container.
          if (port === PROBE_PORT && plan.action === "run") return [];
          const other = port === config.traefik.hostPort ? ", or set traefik.host_port" : "";
          return who === undefined ? [] : [`port ${port}, which Traefik needs, is taken by ${who}: stop it${other}`];
        });
  return [...(engine === undefined ? [] : [engine]), ...taken];
}

/** Whether programs listen on the port at other addresses alone than Traefik would. */
function isFree(port: number, { bindIps, hostPort }: Traefik, { listenerAddresses }: HostFacts): boolean {
  const addresses = listenerAddresses.get(port);
  if (addresses === undefined || port !== hostPort || bindIps.length === 0) return false;
  return !addresses.some((address) => bindIps.includes(address));
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
