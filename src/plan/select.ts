import type { Accessory, Config, Role } from "../config/config.ts";
import { UsageError } from "../errors.ts";

/** `--hosts`, `--roles` and `--primary`. Patterns may contain wildcards. */
export interface Filters {
  readonly hosts: readonly string[] | undefined;
  readonly roles: readonly string[] | undefined;
  readonly primary: boolean;
}

interface RoleOnHost {
  readonly host: string;
  readonly roles: readonly Role[];
}

/** The hosts and roles that a command acts on, in config order. */
export interface Selection {
  /** App hosts with the selected roles of each. */
  readonly app: readonly RoleOnHost[];
  /** Hosts on which Traefik routes to a selected role or to an accessory. */
  readonly traefik: readonly string[];
  /** The first selected host of the primary role, else the first selected host. */
  readonly primary: string;
}

/** Every host that runs the app, in config order. */
export function everyAppHost(config: Config): readonly string[] {
  return unique(config.roles.flatMap((role) => role.hosts));
}

/** @throws UsageError if a filter matches nothing, with the existing names */
export function select(config: Config, filters: Filters): Selection {
  const all = everyAppHost(config);
  const hostFilter = filters.primary ? [config.primaryHost] : filters.hosts;
  const roles = filters.roles ? matching("roles", filters.roles, config.roles, (role) => role.name) : config.roles;
  const everywhere = unique([...all, ...config.accessories.flatMap((accessory) => accessory.hosts)]);
  const hosts = hostFilter ? matching("hosts", hostFilter, everywhere, (host) => host) : all;
  const app = all
    .filter((host) => hosts.includes(host))
    .map((host) => ({ host, roles: roles.filter((role) => role.hosts.includes(host)) }))
    .filter((entry) => entry.roles.length > 0);
  if (all.length > 0 && app.length === 0 && hosts.every((host) => all.includes(host))) {
    throw new UsageError("--hosts and --roles together select no host", { hint: rolesHint(config) });
  }
  const chosen = app.map(({ host }) => host);
  const ofRoles = app.filter((entry) => entry.roles.some((role) => role.traefik)).map((entry) => entry.host);
  const ofAccessories = config.accessories.flatMap((one) => (one.proxy ? one.hosts : []));
  const isChosen = (host: string) => (hostFilter ? hosts.includes(host) : !filters.roles || chosen.includes(host));
  const primaryHosts = roles.find((role) => role.name === config.primaryRole)?.hosts ?? [];
  return {
    app,
    traefik: unique([...ofRoles, ...ofAccessories.filter(isChosen)]),
    primary: primaryHosts.find((host) => chosen.includes(host)) ?? chosen[0] ?? config.primaryHost,
  };
}

/** The accessory's hosts that `--hosts` selects. */
export function accessoryHosts(accessory: Accessory, filters: Filters): readonly string[] {
  if (!filters.hosts || filters.primary) return accessory.hosts;
  const patterns = filters.hosts.map(toPattern);
  return accessory.hosts.filter((host) => patterns.some((pattern) => pattern.test(host)));
}

/** @throws UsageError naming the accessories that exist */
export function findAccessory(config: Config, name: string): Accessory {
  const found = config.accessories.find((accessory) => accessory.name === name);
  if (found) return found;
  const names = config.accessories.map((accessory) => accessory.name);
  throw new UsageError(`No accessory by the name of '${name}'`, {
    hint: names.length > 0 ? `There is: ${names.join(", ")}.` : `${config.file} defines no accessories.`,
  });
}

function matching<T>(
  option: string,
  patterns: readonly string[],
  items: readonly T[],
  nameOf: (item: T) => string,
): T[] {
  for (const pattern of patterns) {
    const test = toPattern(pattern);
    if (!items.some((item) => test.test(nameOf(item)))) {
      throw new UsageError(`No --${option} match for ${pattern}`, {
        hint: `There is: ${items.map(nameOf).join(", ")}.`,
      });
    }
  }
  const tests = patterns.map(toPattern);
  return items.filter((item) => tests.some((test) => test.test(nameOf(item))));
}

/** `web-*` and `{a,b}`, with the meaning they have in a shell. */
export function toPattern(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^$()|[\]\\]/g, String.raw`\$&`);
  const globbed = escaped
    // Each further `*` in a row would double the time of a match.
    .replaceAll(/\*+/g, ".*")
    .replaceAll("?", ".")
    .replaceAll(/\{([^{}]*)\}/g, (_, list: string) => `(?:${list.replaceAll(",", "|")})`);
  return new RegExp(`^${globbed}$`);
}

function rolesHint(config: Config): string {
  return config.roles.map((role) => `${role.name}: ${role.hosts.join(", ")}`).join("; ");
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
