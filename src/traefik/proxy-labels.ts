import type { Proxy } from "../config/config.ts";

/**
 * The labels for the section `proxy`, which replace those that every role has.
 * @param name of the role's router and service
 */
export function proxyLabels(name: string, proxy: Proxy): Map<string, string> {
  const { pathPrefixes, stripPathPrefix } = proxy;
  const labels = new Map([
    [`traefik.http.services.${name}.loadbalancer.server.port`, String(proxy.appPort)],
    [`traefik.http.routers.${name}.rule`, ruleOf(proxy)],
    [`traefik.http.routers.${name}.priority`, String(priorityOf(proxy))],
  ]);
  if (pathPrefixes.length > 0 && stripPathPrefix) {
    // Traefik removes the first prefix that fits.
    const longestFirst = pathPrefixes.toSorted((a, b) => b.length - a.length);
    labels.set(`traefik.http.middlewares.${name}-strip.stripprefix.prefixes`, longestFirst.join(","));
    labels.set(`traefik.http.routers.${name}.middlewares`, `${name}-retry@docker,${name}-strip@docker`);
  }
  return labels;
}

function ruleOf({ hosts, pathPrefixes }: Proxy): string {
  const parts = [hosts.map(hostMatcher), pathPrefixes.map(pathMatcher)].filter((matchers) => matchers.length > 0);
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

/**
 * As Kamal's proxy chooses: a router with a name of the host, one with a wildcard, one for every host; among these the
 * longest path prefix. Traefik would choose by the length of the rule.
 */
function priorityOf({ hosts, pathPrefixes }: Proxy): number {
  const longest = Math.max(0, ...pathPrefixes.map((path) => path.length));
  if (hosts.length === 0) return LOWEST + longest;
  return (hosts.some((host) => host.startsWith("*.")) ? WILDCARD : NAMED) + longest;
}

/** Containers have further routers besides those of the live file, which need priorities below it. */
const LOWEST = 3;
const WILDCARD = 10_000;
const NAMED = 20_000;
