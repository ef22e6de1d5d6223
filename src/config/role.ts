import type { Environment, Role } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Era } from "./era.ts";
import { mergeProxies, proxyOf } from "./proxy.ts";
import {
  environmentOf,
  healthcheckOf,
  loggingOf,
  mapOf,
  mergeByKamal2,
  mergeEnvironments,
  optionsOf,
  tagsOf,
} from "./resolve-parts.ts";
import type { WrittenConfig, WrittenRole } from "./schema.ts";

type WrittenHosts = Extract<WrittenConfig["servers"], readonly unknown[]>;

/** All roles, in alphabetical order. */
export function rolesOf(written: WrittenConfig, era: Era): Role[] {
  const { servers } = written;
  const roles: [string, WrittenHosts | WrittenRole][] = Array.isArray(servers)
    ? [[DEFAULTS.primaryRole, servers]]
    : Object.entries(servers);
  return roles
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, role]) => roleOf(name, Array.isArray(role) ? { hosts: role } : role, written, era));
}

function roleOf(name: string, role: WrittenRole, written: WrittenConfig, era: Era): Role {
  const kamal2 = era.generation === 2;
  const traefik = isRouted(name, role, written);
  const own = typeof role.proxy === "boolean" ? undefined : role.proxy;
  const proxy = kamal2 && traefik ? proxyOf(mergeProxies(written.proxy, own)) : undefined;
  const hosts = hostsOf(role);
  const merge = kamal2 ? mergeByKamal2 : mergeEnvironments;
  const env = [environmentOf(written.env), environmentOf(role.env)];
  const assets = (traefik || !kamal2) && (role.asset_path || written.asset_path);
  const [assetPath, assetOptions] = assets ? assets.split(":") : [];
  return {
    name,
    hosts: Array.from(hosts.keys()),
    traefik,
    proxy,
    cmd: role.cmd ?? undefined,
    env: merge(...env),
    hostEnv: hostEnvironments(hosts, env, tagsOf(written.env), merge),
    labels: new Map(
      [...mapOf(written.labels), ...mapOf(role.labels)].filter(([label]) => !isInert(label, written, era)),
    ),
    ...optionsAndPolicy(role, kamal2),
    healthcheck: roleHealthcheck(role, traefik, written, proxy),
    logLines: role.healthcheck?.log_lines ?? written.healthcheck?.log_lines ?? DEFAULTS.logLines,
    logging: role.logging ? loggingOf(written.logging, role.logging) : undefined,
    assetPath,
    assetOptions,
    stopWaitSeconds:
      role.stop_timeout ??
      written.stop_timeout ??
      written.stop_wait_time ??
      // Kamal 2 gives a role without the proxy as long as the proxy gives the requests of the others.
      (kamal2 && !traefik ? (written.drain_timeout ?? DEFAULTS.drainTimeoutSeconds) : undefined),
    bootOrder: role.boot?.order ?? written.boot?.order ?? DEFAULTS.boot.order,
  };
}

/** In a file of Kamal 2, `options.restart` is the policy of live containers. mrsk starts a container with none. */
function optionsAndPolicy(role: WrittenRole, kamal2: boolean): Pick<Role, "options" | "restartPolicy"> {
  const all = optionsOf(role.options);
  const restart = all.get("restart");
  if (!kamal2 || typeof restart !== "string") return { options: all };
  return { options: new Map([...all].filter(([name]) => name !== "restart")), restartPolicy: restart };
}

/** Whether the proxy routes requests to the role: written, or the default of the primary role. */
function isRouted(name: string, role: Pick<WrittenRole, "traefik" | "proxy">, written: WrittenConfig): boolean {
  if (typeof role.traefik === "boolean") return role.traefik;
  if (role.proxy !== undefined && role.proxy !== null) return role.proxy !== false;
  return name === (written.primary_role ?? DEFAULTS.primaryRole);
}

/** In a file of Kamal 2, labels of Traefik are a remainder without effect, unless the file configures Traefik. */
export function isInert(label: string, written: WrittenConfig, era: Era): boolean {
  return era.generation === 2 && !written.traefik && /^traefik\./i.test(label);
}

/** The hosts of `servers` that have one of the tags. */
export function hostsWithTags(servers: WrittenConfig["servers"], tags: readonly string[]): string[] {
  const roles = Array.isArray(servers) ? [servers] : Object.values(servers);
  const tagged = roles.flatMap((role) => [...hostsOf(Array.isArray(role) ? { hosts: role } : role)]);
  return tagged.filter(([, own]) => own.some((tag) => tags.includes(tag))).map(([host]) => host);
}

/** The tags of each host. */
export function hostsOf(role: Pick<WrittenRole, "hosts">): ReadonlyMap<string, readonly string[]> {
  const hosts = typeof role.hosts === "string" ? [role.hosts] : (role.hosts ?? []);
  return new Map(
    hosts.map((entry): [string, readonly string[]] => {
      if (typeof entry === "string") return [entry, []];
      const [host, tags] = Object.entries(entry)[0]!;
      return [host, typeof tags === "string" ? [tags] : tags];
    }),
  );
}

function hostEnvironments(
  hosts: ReadonlyMap<string, readonly string[]>,
  env: readonly Environment[],
  tags: ReadonlyMap<string, Environment>,
  merge: typeof mergeEnvironments,
): ReadonlyMap<string, Environment> {
  const tagged = Array.from(hosts).filter(([, names]) => names.some((name) => tags.has(name)));
  return new Map(
    tagged.map(([host, names]) => [host, merge(...env, ...names.flatMap((name) => tags.get(name) ?? []))]),
  );
}

/** A role behind Traefik is always checked; another role only if it defines a check. */
function roleHealthcheck(
  role: WrittenRole,
  traefik: boolean,
  written: WrittenConfig,
  proxy: Role["proxy"],
): Role["healthcheck"] {
  const attempts = written.healthcheck?.max_attempts;
  if (proxy) {
    const { path, intervalSeconds, timeoutSeconds } = proxy.healthcheck;
    const defaults = { path, port: proxy.appPort, interval: `${intervalSeconds}s` };
    const check = healthcheckOf([role.healthcheck, written.healthcheck], attempts, defaults);
    return { ...check, timeoutSeconds, probeIntervalSeconds: intervalSeconds };
  }
  if (traefik) return healthcheckOf([role.healthcheck, written.healthcheck], attempts);
  return usesHealthcheck(role.healthcheck) ? healthcheckOf([role.healthcheck], attempts) : undefined;
}

/** Whether one of the keys is set that define a check of a role without Traefik. */
export function usesHealthcheck(check: WrittenRole["healthcheck"]): boolean {
  return [check?.cmd, check?.path, check?.port].some((key) => key !== undefined && key !== null);
}
