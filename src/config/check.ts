import { proxyMistakes } from "./check-proxy.ts";
import { imageMistakes } from "./check-registry.ts";
import { type Era, isLocalRegistry } from "./era.ts";
import { interpolationMistakes } from "./interpolation.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Mistake } from "./issues.ts";
import type { Path } from "./yaml/tree.ts";
import { words } from "./words.ts";
import { HIGHEST_PORT } from "../ports.ts";
import { below, isMap, type Written } from "./written.ts";

/**
 * Mistakes that a schema of single values cannot find. Reads the values as written, not as the schema parsed them, so that
 * both kinds are reported in the same run. Values of a wrong type are left to the schema.
 */
export function crossMistakes(written: Written, file: string, era: Era): Mistake[] {
  const kamal2 = era.generation === 2;
  return [
    ...requiredMistakes(written, kamal2),
    ...registryMistakes(written["registry"], ["registry"], file),
    ...interpolationMistakes(written),
    ...roleMistakes(written),
    ...accessoryMistakes(written, file, kamal2),
    ...(kamal2
      ? []
      : [
          ...imageMistakes(written, below(written["registry"], "server")),
          ...envMistakes(written),
          ...assetMistakes(written),
        ]),
    ...timeLimitMistakes(written),
    ...(kamal2
      ? [...proxyMistakes(written, rolePlaces(written)), ...labelMistakes(written), ...restartMistakes(written)]
      : []),
    ...builderMistakes(written["builder"]),
    ...releaseMistakes(written),
    ...quoteMistakes(written),
  ];
}

function requiredMistakes(written: Written, kamal2: boolean): Mistake[] {
  const accessoriesAlone = kamal2 && !blank(written["accessories"]) && isMap(written["servers"]);
  return ["service", "image", "registry", "servers"]
    .filter((key) => blank(written[key]) && !(key === "servers" && accessoriesAlone))
    .map((key) => {
      const how =
        kamal2 && key === "registry" ? ": write registry: {server: HOST, username: NAME, password: [NAME]}" : "";
      return { path: [key], message: `Missing required configuration for ${key}${how}`, missing: [[key]] };
    });
}

/** A registry on this machine, which Kamal 2 starts itself, needs no credentials. */
function registryMistakes(registry: unknown, path: readonly string[], file: string): Mistake[] {
  if (!isMap(registry) || (isLocalRegistry(registry["server"]) && blank(registry["username"]))) return [];
  const wrong: Mistake[] = [];
  if (blank(registry["username"])) {
    wrong.push({
      path: [...path, "username"],
      message: `You must specify a username for the registry in ${file}`,
      missing: [[...path, "username"]],
    });
  }
  if (blank(registry["password"])) {
    wrong.push({
      path: [...path, "password"],
      message: `You must specify a password for the registry in ${file} (or set the ENV variable if that's used)`,
      missing: [[...path, "password"]],
    });
  }
  return wrong;
}

function builderMistakes(builder: unknown): Mistake[] {
  if (!isMap(builder)) return [];
  if (!isMap(builder["local"]) || !isMap(builder["remote"])) return kamal2BuilderMistakes(builder);
  const arch = builder["remote"]["arch"];
  if (typeof arch !== "string" || arch !== builder["local"]["arch"]) return [];
  return [{ path: ["builder", "remote", "arch"], message: `should differ from builder.local.arch: both are ${arch}` }];
}

const DRIVERS = ["docker", "docker-container"];

function kamal2BuilderMistakes(builder: Written): Mistake[] {
  const { arch, driver, local, pack, remote } = builder;
  const wrong: Mistake[] = [];
  const add = (key: string, message: string) => void wrong.push({ path: ["builder", key], message });
  if (Array.isArray(arch) && arch.length === 0) add("arch", "Builder arch not set: write amd64, arm64, or both");
  if (isMap(pack) && Array.isArray(arch) && arch.length > 1)
    add("arch", "buildpacks only support building for one arch");
  if (local === false && blank(remote)) {
    add("local", "Cannot disable local builds, no remote is set: write remote: ssh://USER@HOST");
  }
  if (typeof driver === "string" && driver.startsWith("cloud ")) {
    add("driver", "mrsk does not build in Docker's cloud: write remote: ssh://USER@HOST, or omit driver");
  } else if (typeof driver === "string" && !DRIVERS.includes(driver)) {
    add("driver", `should be ${DRIVERS.join(" or ")}`);
  }
  if (driver === "docker" && !blank(remote)) {
    add("driver", "docker builds on this machine alone: remove remote, or omit driver");
  }
  if (arch !== undefined && isMap(local)) add("local", "arch is the same setting in Kamal 2: remove one of the two");
  if (arch !== undefined && isMap(remote)) {
    add("remote", "should be the machine alone, such as ssh://USER@HOST: arch has the architectures");
  }
  return wrong;
}

/** Two keys that set the same time limit. */
function timeLimitMistakes(written: Written): Mistake[] {
  const attempts = blank(written["deploy_timeout"])
    ? []
    : placesOf(written, "healthcheck")
        .filter(([, check]) => !blank(below(check, "max_attempts")))
        .map(([path]) => ({
          path: [...path, "max_attempts"],
          message: "deploy_timeout sets the same limit, in seconds: keep one of the two",
        }));
  const both = !blank(written["stop_timeout"]) && !blank(written["stop_wait_time"]);
  const message = "stop_timeout is the same setting in Kamal 2: keep one of the two";
  return [...attempts, ...(both ? [{ path: ["stop_wait_time"], message }] : [])];
}

function rolePlaces(written: Written) {
  return rolesOf(written).map(([name, role]) => {
    const entries = Array.isArray(role) ? role : isMap(role) ? [role["hosts"]].flat() : [];
    const withTags = entries.flatMap((entry) => (isMap(entry) ? Object.entries(entry).slice(0, 1) : []));
    const hosts = entries.flatMap((entry) => (isMap(entry) ? Object.keys(entry).slice(0, 1) : [String(entry)]));
    const tags = new Map(withTags.map(([host, own]) => [host, [own].flat().map(String)]));
    return { name, role, hosts, tags, isPrimary: name === primaryRoleOf(written) };
  });
}

/** Kamal 2 refuses these at a role and an accessory: it finds its containers by them. */
function labelMistakes(written: Written): Mistake[] {
  const places: [string[], unknown][] = [
    ...rolesOf(written).map(([name, role]): [string[], unknown] => [
      ["servers", name, "labels"],
      below(role, "labels"),
    ]),
    ...entriesOf(written["accessories"]).map(([name, accessory]): [string[], unknown] => [
      ["accessories", name, "labels"],
      below(accessory, "labels"),
    ]),
  ];
  return places.flatMap(([path, labels]) =>
    ["service", "role", "destination"]
      .filter((label) => isMap(labels) && Object.hasOwn(labels, label))
      .map((label) => ({ path: [...path, label], message: `Cannot use ${label} label: containers are found by it` })),
  );
}

/** `no` without quotes is false in YAML. */
function restartMistakes(written: Written): Mistake[] {
  const places: [string[], unknown][] = [
    ...rolesOf(written).map(([name, role]): [string[], unknown] => [["servers", name], role]),
    ...entriesOf(written["accessories"]).map(([name, accessory]): [string[], unknown] => [
      ["accessories", name],
      accessory,
    ]),
  ];
  return places.flatMap(([path, item]) => {
    const policy = below(below(item, "options"), "restart");
    const isPolicy = typeof policy === "string" && /^(?:no|always|unless-stopped|on-failure(?::\d+)?)$/.test(policy);
    if (policy === undefined || isPolicy) return [];
    const message =
      policy === false ? 'Use "no" to disable restarts' : "should be no, always, unless-stopped or on-failure[:N]";
    return [{ path: [...path, "options", "restart"], message }];
  });
}

/** The roles as written; a list of hosts is the role `web`. */
function rolesOf(written: Written): [string, unknown][] {
  const { servers } = written;
  if (Array.isArray(servers)) return [[DEFAULTS.primaryRole, servers]];
  return isMap(servers) ? Object.entries(servers) : [];
}

/** A key of the top level that each role may have too: every place of it, with the value there. */
function placesOf(written: Written, key: string): [path: string[], value: unknown][] {
  return [
    [[key], written[key]],
    ...rolesOf(written).map(([name, role]): [string[], unknown] => [["servers", name, key], below(role, key)]),
  ];
}

function primaryRoleOf(written: Written): string {
  return typeof written["primary_role"] === "string" ? written["primary_role"] : DEFAULTS.primaryRole;
}

function roleMistakes(written: Written): Mistake[] {
  if (blank(written["servers"])) return [];
  const roles = rolesOf(written);
  const primary = primaryRoleOf(written);
  const wrong: Mistake[] = [];
  if (roles.length > 0 && !roles.some(([name]) => name === primary)) {
    wrong.push({
      path: written["primary_role"] === undefined ? ["servers"] : ["primary_role"],
      message: `The primary_role ${primary} isn't defined (roles: ${roles.map(([name]) => name).join(", ")})`,
    });
  }
  for (const [name, role] of roles) {
    const path = Array.isArray(written["servers"]) ? ["servers"] : ["servers", name];
    if (role === null || (typeof role !== "object" && role !== undefined)) continue;
    const hosts = Array.isArray(role) ? role : isMap(role) ? role["hosts"] : undefined;
    if (blank(hosts)) {
      const missing = [[...path, "hosts"]];
      if (name === primary) wrong.push({ path, message: `No servers specified for the ${name} role`, missing });
      else if (written["allow_empty_roles"] !== true) {
        const message = `No servers specified for the ${name} role. You can ignore this with allow_empty_roles: true`;
        wrong.push({ path, message, missing });
      }
    }
    if (Array.isArray(hosts)) wrong.push(...hostMistakes(hosts, Array.isArray(role) ? path : [...path, "hosts"]));
  }
  return wrong;
}

function hostMistakes(hosts: readonly unknown[], path: readonly string[]): Mistake[] {
  const seen = new Set<string>();
  return hosts.flatMap((entry, index) => {
    const names = isMap(entry) ? Object.keys(entry) : [String(entry)];
    if (names.length !== 1) {
      return [{ path: [...path, index], message: "should be one host with its tags: `- HOST: [TAG, TAG]`" }];
    }
    const port = portMistake(names[0]!, [...path, index]);
    if (port) return [port];
    const twice = seen.has(names[0]!);
    seen.add(names[0]!);
    return twice ? [{ path: [...path, index], message: `${names[0]} is listed twice` }] : [];
  });
}

/** For `HOST:PORT` and `[ADDRESS]:PORT`; an address without brackets has no port. */
function portMistake(host: string, path: Path): Mistake | undefined {
  const [, port] = /^(?:[^:]*|[^[]*\[.*\]):(\d+)$/.exec(host) ?? [];
  if (port === undefined || (Number(port) >= 1 && Number(port) <= HIGHEST_PORT)) return undefined;
  return { path, message: `${host}: the port should be 1 to ${HIGHEST_PORT}` };
}

function accessoryMistakes(written: Written, file: string, kamal2: boolean): Mistake[] {
  const accessories = written["accessories"];
  if (!isMap(accessories)) return [];
  const roles = rolesOf(written).map(([name]) => name);
  const services = new Map<string, string>();
  return Object.entries(accessories).flatMap(([name, accessory]): Mistake[] => {
    if (!isMap(accessory)) return [];
    const path = ["accessories", name];
    const wrong = [
      ...placementMistakes(name, accessory, path, kamal2),
      ...registryMistakes(accessory["registry"], [...path, "registry"], file),
      ...tagMistakes(written, accessory, path),
    ];
    const itsRoles: [unknown, Path][] = [
      ...[accessory["roles"]].flat().map((role, index): [unknown, Path] => [role, ["roles", index]]),
      [accessory["role"], ["role"]],
    ];
    for (const [role, at] of itsRoles) {
      if (typeof role === "string" && hasServers(written) && !roles.includes(role)) {
        const known = roles.length > 0 ? `roles: ${roles.join(", ")}` : "there are no servers: write host";
        wrong.push({ path: [...path, ...at], message: `unknown role: ${role} (${known})` });
      }
    }
    const service =
      typeof accessory["service"] === "string" ? accessory["service"] : `${String(written["service"])}-${name}`;
    const other = service === "traefik" ? "the proxy" : services.get(service);
    if (other) wrong.push({ path: [...path, "service"], message: `${service} is also the name of ${other}` });
    services.set(service, `the accessory ${name}`);
    return wrong;
  });
}

/** Also without any, as in a file of Kamal 2 that has accessories alone. Missing ones are reported as such. */
function hasServers({ servers }: Written): boolean {
  return !blank(servers) || isMap(servers);
}

/** Tags that no host of `servers` has: the accessory would run nowhere. */
function tagMistakes({ servers }: Written, accessory: Written, path: readonly string[]): Mistake[] {
  const places: [unknown, Path][] = [
    [accessory["tag"], ["tag"]],
    ...[accessory["tags"]].flat().map((tag, index): [unknown, Path] => [tag, ["tags", index]]),
  ];
  return places.flatMap(([tag, at]) => {
    if (typeof tag !== "string" || !hasServers({ servers }) || tagged(servers).has(tag)) return [];
    return [{ path: [...path, ...at], message: `no host of servers has the tag ${tag}` }];
  });
}

function tagged(servers: unknown): ReadonlySet<unknown> {
  const roles = isMap(servers) ? Object.values(servers) : [servers];
  const hosts = roles.flatMap((role) => (isMap(role) ? [role["hosts"]].flat() : [role].flat()));
  return new Set(hosts.flatMap((host) => (isMap(host) ? Object.values(host).flat() : [])));
}

const PLACEMENTS = ["host", "hosts", "roles"];
const PLACEMENTS_OF_KAMAL2 = [...PLACEMENTS, "role", "tag", "tags"];

function placementMistakes(name: string, accessory: Written, path: readonly string[], kamal2: boolean): Mistake[] {
  if (!kamal2 && Object.hasOwn(accessory, "role") && !Object.hasOwn(accessory, "roles")) {
    return [{ path: [...path, "role"], message: "unknown key: role (write roles: [NAME])" }];
  }
  const given = PLACEMENTS_OF_KAMAL2.filter((key) => Object.hasOwn(accessory, key));
  if (given.length !== 1) {
    const keys = (kamal2 ? PLACEMENTS_OF_KAMAL2 : PLACEMENTS).map((key) => `\`${key}\``);
    const message = `Specify one of ${keys.slice(0, -1).join(", ")} or ${keys.at(-1)} for accessory \`${name}\``;
    return [{ path, message, missing: PLACEMENTS_OF_KAMAL2.map((key) => [...path, key]) }];
  }
  const key = given[0]!;
  const value = accessory[key];
  if (key === "host" && blank(value)) {
    return [{ path: [...path, key], message: `Missing host for accessory \`${name}\`` }];
  }
  if (key === "host" && typeof value === "string") return [portMistake(value, [...path, key]) ?? []].flat();
  if (key === "hosts" && !Array.isArray(value)) {
    return [{ path: [...path, key], message: `Hosts should be an Array for accessory \`${name}\`` }];
  }
  if (blank(value)) return [{ path: [...path, key], message: `No ${key} given for accessory \`${name}\`` }];
  return key === "hosts" ? hostMistakes(value as unknown[], [...path, key]) : [];
}

/** Only Kamal 2 has false there. */
function assetMistakes(written: Written): Mistake[] {
  const message = "should be an absolute path in the container, not false: omit the key for none";
  return placesOf(written, "asset_path")
    .filter(([, value]) => value === false)
    .map(([path]) => ({ path, message }));
}

/** A variable cannot be in both `clear` and `secret`. */
function envMistakes(written: Written): Mistake[] {
  const places: [readonly string[], unknown][] = [
    [["env"], written["env"]],
    [["traefik", "env"], below(written["traefik"], "env")],
    ...rolesOf(written).map(([name, role]): [string[], unknown] => [["servers", name, "env"], below(role, "env")]),
    ...entriesOf(written["accessories"]).map(([name, accessory]): [string[], unknown] => [
      ["accessories", name, "env"],
      below(accessory, "env"),
    ]),
    ...entriesOf(below(written["env"], "tags")).map(([tag, env]): [string[], unknown] => [["env", "tags", tag], env]),
  ];
  return places.flatMap(([path, env]) => {
    const clear = below(env, "clear");
    const secret = below(env, "secret");
    if (!isMap(clear) || !Array.isArray(secret)) return [];
    return secret.flatMap((name: unknown, index) =>
      typeof name === "string" && Object.hasOwn(clear, name)
        ? [{ path: [...path, "secret", index], message: `${name} is in clear as well: keep one of the two` }]
        : [],
    );
  });
}

function releaseMistakes(written: Written): Mistake[] {
  const role = below(written["release"], "role");
  const roles = rolesOf(written).map(([name]) => name);
  if (typeof role !== "string" || roles.length === 0 || roles.includes(role)) return [];
  return [{ path: ["release", "role"], message: `unknown role: ${role} (roles: ${roles.join(", ")})` }];
}

/** Quotes left open in the values that are split into words like a shell's command line. */
function quoteMistakes(written: Written): Mistake[] {
  const { release } = written;
  const lines: [string[], unknown][] = [
    ...rolesOf(written).map(([name, role]): [string[], unknown] => [["servers", name, "cmd"], below(role, "cmd")]),
    ...entriesOf(written["accessories"]).map(([name, accessory]): [string[], unknown] => [
      ["accessories", name, "cmd"],
      below(accessory, "cmd"),
    ]),
    ...entriesOf(written["aliases"]).map(([name, line]): [string[], unknown] => [["aliases", name], line]),
    isMap(release) ? [["release", "command"], release["command"]] : [["release"], release],
  ];
  return lines.flatMap(([path, line]) =>
    typeof line === "string" && leavesQuoteOpen(line)
      ? [{ path, message: "a quote is left open: close it, or write \\ in front" }]
      : [],
  );
}

function leavesQuoteOpen(line: string): boolean {
  try {
    words(line);
    return false;
  } catch {
    return true;
  }
}

function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : [];
}

/** Missing or empty: also a list of empty values. */
function blank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === "string") return value.trim() === "";
  if (Array.isArray(value)) return value.every(blank);
  return typeof value === "object" && Object.keys(value).length === 0;
}
