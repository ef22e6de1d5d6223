import type { Environment, Role } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import {
  environmentOf,
  healthcheckOf,
  loggingOf,
  mapOf,
  mergeEnvironments,
  optionsOf,
  tagsOf,
} from "./resolve-parts.ts";
import type { WrittenConfig, WrittenRole } from "./schema.ts";

type WrittenHosts = Extract<WrittenConfig["servers"], readonly unknown[]>;

/** All roles, in alphabetical order. */
export function rolesOf(written: WrittenConfig): Role[] {
  const { servers } = written;
  const roles: [string, WrittenHosts | WrittenRole][] = Array.isArray(servers)
    ? [[DEFAULTS.primaryRole, servers]]
    : Object.entries(servers);
  return roles
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, role]) => roleOf(name, Array.isArray(role) ? { hosts: role } : role, written));
}

function roleOf(name: string, role: WrittenRole, written: WrittenConfig): Role {
  const traefik = role.traefik ?? name === (written.primary_role ?? DEFAULTS.primaryRole);
  const hosts = hostsOf(role);
  const env = mergeEnvironments(environmentOf(written.env), environmentOf(role.env));
  return {
    name,
    hosts: Array.from(hosts.keys()),
    traefik,
    cmd: role.cmd ?? undefined,
    env,
    hostEnv: hostEnvironments(hosts, env, tagsOf(written.env)),
    labels: new Map([...mapOf(written.labels), ...mapOf(role.labels)]),
    options: optionsOf(role.options),
    healthcheck: roleHealthcheck(role, traefik, written),
    logLines: role.healthcheck?.log_lines ?? written.healthcheck?.log_lines ?? DEFAULTS.logLines,
    logging: role.logging ? loggingOf(written.logging, role.logging) : undefined,
    assetPath: role.asset_path ?? written.asset_path ?? undefined,
    bootOrder: role.boot?.order ?? written.boot?.order ?? DEFAULTS.boot.order,
  };
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
  env: Environment,
  tags: ReadonlyMap<string, Environment>,
): ReadonlyMap<string, Environment> {
  const tagged = Array.from(hosts).filter(([, names]) => names.some((name) => tags.has(name)));
  return new Map(
    tagged.map(([host, names]) => [host, mergeEnvironments(env, ...names.flatMap((name) => tags.get(name) ?? []))]),
  );
}

/** A role behind Traefik is always checked; another role only if it defines a check. */
function roleHealthcheck(role: WrittenRole, traefik: boolean, written: WrittenConfig): Role["healthcheck"] {
  const attempts = written.healthcheck?.max_attempts;
  if (traefik) return healthcheckOf([role.healthcheck, written.healthcheck], attempts);
  return usesHealthcheck(role.healthcheck) ? healthcheckOf([role.healthcheck], attempts) : undefined;
}

/** Whether one of the keys is set that define a check of a role without Traefik. */
export function usesHealthcheck(check: WrittenRole["healthcheck"]): boolean {
  return [check?.cmd, check?.path, check?.port].some((key) => key !== undefined && key !== null);
}
