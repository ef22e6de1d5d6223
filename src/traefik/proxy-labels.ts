import type { Proxy } from "../config/config.ts";
import { bodyLimits } from "../config/proxy.ts";
import type { TraefikLabel } from "./labels.ts";

/**
 * The labels for the section `proxy`, which replace those that every role has.
 * @param name of the role's first router, and of its service
 */
export function proxyLabels(name: string, proxy: Proxy): Map<string, string> {
  const labels = new Map([[`traefik.http.services.${name}.loadbalancer.server.port`, String(proxy.appPort)]]);
  const middlewares = middlewaresOf(name, proxy, labels).join(",");
  for (const [index, { rule, priority }] of routersOf(proxy).entries()) {
    const router = `traefik.http.routers.${name}${index === 0 ? "" : `-route${index + 1}`}`;
    labels.set(`${router}.rule`, rule);
    labels.set(`${router}.priority`, String(priority));
    labels.set(`${router}.middlewares`, middlewares);
  }
  return labels;
}

/** Adds the labels of the middlewares. @returns their names, in the order in which a request passes them */
function middlewaresOf(name: string, proxy: Proxy, labels: Map<string, string>): string[] {
  const { pathPrefixes, stripPathPrefix } = proxy;
  // As Kamal's proxy does: an app that prefers the header Forwarded to X-Forwarded-For would trust a forged one.
  labels.set(`traefik.http.middlewares.${name}-forwarded.headers.customrequestheaders.Forwarded`, "");
  const names = [`${name}-forwarded@docker`, `${name}-retry@docker`];
  if (pathPrefixes.length > 0 && stripPathPrefix) {
    // Traefik removes the first prefix that fits.
    const longestFirst = pathPrefixes.filter((path) => path !== "").toSorted((a, b) => b.length - a.length);
    labels.set(`traefik.http.middlewares.${name}-strip.stripprefix.prefixes`, longestFirst.join(","));
    names.push(`${name}-strip@docker`);
  }
  const buffering = bufferingOptions(proxy);
  for (const [option, bytes] of buffering) {
    labels.set(`traefik.http.middlewares.${name}-buffering.buffering.${option}`, String(bytes));
  }
  // Before retry: a second try would find the body of the request already read.
  if (buffering.length > 0) names.unshift(`${name}-buffering@docker`);
  return names;
}

/** The options of Traefik's buffering. None without a limit: it would hold back both bodies whole, and end streaming. */
function bufferingOptions({ buffering }: Proxy): [option: string, bytes: number][] {
  const { memoryBytes } = buffering;
  const limits = bodyLimits(buffering);
  if (!limits.request && !limits.response) return [];
  return [
    ...(limits.request ? [["maxrequestbodybytes", limits.request] as [string, number]] : []),
    ["memrequestbodybytes", memoryBytes],
    ...(limits.response ? [["maxresponsebodybytes", limits.response] as [string, number]] : []),
    ["memresponsebodybytes", memoryBytes],
  ];
}

/** The option of a service that names its transport: the settings of Traefik's connections to the containers. */
const TRANSPORT = "loadbalancer.serverstransport";

/**
 * The label that limits the time until the headers of the app's response. No label can define a transport, so the live
 * file does. The name has the time, because versions with other times run at the same time.
 * @param name of the role's service and live file
 */
export function transportLabel(name: string, seconds: number): [label: string, value: string] {
  return [`traefik.http.services.${name}.${TRANSPORT}`, `${transportName(name, `${seconds}s`)}@file`];
}

/**
 * The transports that these labels name with `transportLabel`. Traefik routes to no service whose transport is missing, so
 * a live file defines those of all its containers.
 */
export function transportsOf(name: string, labels: readonly TraefikLabel[]): Record<string, unknown> {
  const transports = namedTransports(labels).flatMap((named) => {
    const time = timeOf(named);
    if (time === undefined || named !== `${transportName(name, time)}@file`) return [];
    return [[transportName(name, time), { forwardingTimeouts: { responseHeaderTimeout: time } }] as const];
  });
  return Object.fromEntries(transports);
}

/** Whether Traefik routes to the container only if it reads the live file. */
export function needsLiveFile(labels: readonly TraefikLabel[]): boolean {
  return namedTransports(labels).some((named) => timeOf(named) !== undefined);
}

/** The transports that the labels name, mrsk's or the user's. */
export function namedTransports(labels: readonly TraefikLabel[]): string[] {
  return labels
    .filter(({ section, option }) => section === "services" && option.toLowerCase() === TRANSPORT)
    .map(({ value }) => value);
}

function timeOf(transport: string): string | undefined {
  return /-timeout-(\d+s)@file$/.exec(transport)?.[1];
}

function transportName(name: string, time: string): string {
  return `${name}-timeout-${time}`;
}

/**
 * As Kamal's proxy chooses: a router with a name of the host, one with a wildcard, one for every host; among these the
 * longest path prefix. Traefik would choose by the length of the rule. Each kind of host and each length of prefix needs a
 * router, because a router has one priority.
 */
function routersOf({ hosts, pathPrefixes }: Proxy): { rule: string; priority: number }[] {
  const isWildcard = (host: string) => host.startsWith("*.");
  const named = hosts.filter((host) => !isWildcard(host));
  const wildcards = hosts.filter(isWildcard);
  const kinds = [
    ...(named.length > 0 ? [{ matchers: named.map(hostMatcher), base: NAMED }] : []),
    ...(wildcards.length > 0 ? [{ matchers: wildcards.map(hostMatcher), base: WILDCARD }] : []),
  ];
  const lengths = [...new Set(pathPrefixes.map(({ length }) => length))];
  return (kinds.length > 0 ? kinds : [{ matchers: [], base: LOWEST }]).flatMap(({ matchers, base }) =>
    (lengths.length > 0 ? lengths : [0]).map((length) => {
      const paths = length === 0 ? [] : pathPrefixes.filter((path) => path.length === length).map(pathMatcher);
      return { rule: ruleOf([matchers, paths]), priority: base + length };
    }),
  );
}

function ruleOf(alternatives: readonly (readonly string[])[]): string {
  const parts = alternatives.filter((matchers) => matchers.length > 0);
  if (parts.length === 0) return "PathPrefix(`/`)";
  return parts
    .map((matchers) => (parts.length > 1 ? `(${matchers.join(" || ")})` : matchers.join(" || ")))
    .join(" && ");
}

/** `*.example.com` is any name with exactly one more label. */
function hostMatcher(host: string): string {
  if (!host.startsWith("*.")) return `Host(\`${host}\`)`;
  return `HostRegexp(\`^[^.]+\\.${host.slice(2).replaceAll(".", "\\.")}$\`)`;
}

/** Whole segments: `/api` is not the beginning of `/apix`. */
function pathMatcher(path: string): string {
  return `Path(\`${path}\`) || PathPrefix(\`${path}/\`)`;
}

/** Containers have further routers besides those of the live file, which need priorities below it. */
const LOWEST = 3;
const WILDCARD = 10_000;
const NAMED = 20_000;
