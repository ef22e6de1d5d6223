import { isDeepStrictEqual } from "node:util";
import type { Accessory, Config, Logging, Options, Proxy, ProxyRun, Role, Traefik } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Era } from "./era.ts";
import { proxyRunOf } from "./proxy.ts";
import { loggingOf, mapOf, optionsOf, singleEnvironment } from "./resolve-parts.ts";
import type { WrittenConfig } from "./schema.ts";

/** What Traefik routes requests to: a role or an accessory. */
type Routed = Pick<Role | Accessory, "hosts" | "proxy"> & { readonly traefik?: boolean };

/** The configuration with the settings of the host's Traefik. */
export function traefikOn(config: Config, host: string): Config {
  const own = config.hostTraefik?.get(host);
  return own === undefined ? config : { ...config, traefik: own };
}

/**
 * The settings of Traefik, which roles and accessories share on each host: `traefik`, and what their sections `proxy` say
 * about the proxy itself. The keys of `traefik` win.
 */
export function traefikSettings(
  written: WrittenConfig,
  roles: readonly Role[],
  accessories: readonly Accessory[],
  era: Era,
): Pick<Config, "traefik" | "hostTraefik"> {
  const routed: readonly Routed[] = [...roles, ...accessories];
  const served = [...new Set(routed.flatMap(({ hosts, proxy, traefik }) => (proxy || traefik ? hosts : [])))];
  const settings = served.map((host) => [host, traefikFor(written, proxiesOn(host, routed), era)] as const);
  const first = settings[0]?.[1] ?? traefikFor(written, [], era);
  const others = settings.filter(([, own]) => !isDeepStrictEqual(own, first));
  return { traefik: first, hostTraefik: others.length > 0 ? new Map(others) : undefined };
}

function proxiesOn(host: string, routed: readonly Routed[]): Proxy[] {
  return routed.flatMap(({ hosts, proxy }) => (proxy && hosts.includes(host) ? [proxy] : []));
}

function traefikFor(written: WrittenConfig, proxies: readonly Proxy[], era: Era): Traefik {
  const own = written.traefik;
  const run = runOf(proxies);
  const args = optionsOf(own?.args);
  const publish = own?.publish ?? run?.publish ?? true;
  return {
    image: own?.image ?? DEFAULTS.traefik.image,
    hostPort: publish ? (own?.host_port ?? run?.httpPort ?? DEFAULTS.traefik.hostPort) : undefined,
    bindIps: run?.bindIps ?? [],
    forwardHeaders: proxies.some(({ forwardHeaders }) => forwardHeaders),
    metricsPort: hasArgument(args, "metrics.prometheus.entrypoint") ? undefined : run?.metricsPort,
    logging: limited(loggingOf(written.logging), run?.logMaxSize),
    args: new Map([
      ...[...requestLog(proxies), ...(run?.debug ? [["log.level", "DEBUG"] as const] : [])].filter(
        ([key]) => !hasArgument(args, key),
      ),
      ...args,
    ]),
    options: new Map([...(run?.options ?? []), ...optionsOf(own?.options)]),
    labels: mapOf(own?.labels),
    env: singleEnvironment(own?.env, era),
  };
}

/** The settings of the container. Those that sections of one host write are equal, but not every section has them. */
function runOf(proxies: readonly Proxy[]): ProxyRun | undefined {
  const runs = proxies.map(({ run }) => run);
  return runs.find((run) => !isDeepStrictEqual(run, proxyRunOf(undefined))) ?? runs[0];
}

/** Traefik has one list of headers for requests and responses, and drops the others. */
function requestLog(proxies: readonly Proxy[]): (readonly [string, string])[] {
  const logs = proxies.flatMap(({ logging }) => logging ?? []);
  if (logs.length === 0) return [];
  const headers = logs.flatMap(({ requestHeaders, responseHeaders }) => [...requestHeaders, ...responseHeaders]);
  const names = new Map(headers.map((name) => [name.toLowerCase(), name]));
  return [
    ["accesslog.format", "json"],
    ...[...names.values()].map((name) => [`accesslog.fields.headers.names.${name}`, "keep"] as const),
  ];
}

/** @param size replaces the limit of `logging`; empty is none */
function limited({ driver, options, ...logging }: Logging, size: string | undefined): Logging {
  if (size === undefined) return { driver, options, ...logging };
  const others = new Map([...options].filter(([option]) => option !== "max-size"));
  return { driver, options: others, ...(size === "" ? {} : { maxSize: size }) };
}

/** Whether the user gives a flag. Traefik reads the names of its flags without regard to case. */
export function hasArgument(args: Options, name: string): boolean {
  return [...args.keys()].some((key) => key.toLowerCase() === name.toLowerCase());
}
