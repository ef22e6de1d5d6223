import { imageMistakes } from "./check-registry.ts";
import { interpolationMistakes } from "./interpolation.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Mistake } from "./issues.ts";
import type { Path } from "./yaml/tree.ts";
import { words } from "./words.ts";
import { HIGHEST_PORT } from "../ports.ts";

type Written = Readonly<Record<string, unknown>>;

/**
 * Mistakes that a schema of single values cannot find. Reads the values as written, not as the schema parsed them, so that
 * both kinds are reported in the same run. Values of a wrong type are left to the schema.
 */
export function crossMistakes(written: Written, file: string): Mistake[] {
  return [
    ...requiredMistakes(written),
    ...registryMistakes(written["registry"], file),
    ...imageMistakes(written, below(written["registry"], "server")),
    ...interpolationMistakes(written),
    ...roleMistakes(written),
    ...accessoryMistakes(written),
    ...envMistakes(written),
    ...builderMistakes(written["builder"]),
    ...releaseMistakes(written),
    ...quoteMistakes(written),
  ];
}

function requiredMistakes(written: Written): Mistake[] {
  return ["service", "image", "registry", "servers"]
    .filter((key) => blank(written[key]))
    .map((key) => ({ path: [key], message: `Missing required configuration for ${key}`, missing: [[key]] }));
}

function registryMistakes(registry: unknown, file: string): Mistake[] {
  if (!isMap(registry)) return [];
  const wrong: Mistake[] = [];
  if (blank(registry["username"])) {
    wrong.push({
      path: ["registry", "username"],
      message: `You must specify a username for the registry in ${file}`,
      missing: [["registry", "username"]],
    });
  }
  if (blank(registry["password"])) {
    wrong.push({
      path: ["registry", "password"],
      message: `You must specify a password for the registry in ${file} (or set the ENV variable if that's used)`,
      missing: [["registry", "password"]],
    });
  }
  return wrong;
}

function builderMistakes(builder: unknown): Mistake[] {
  if (!isMap(builder) || !isMap(builder["local"]) || !isMap(builder["remote"])) return [];
  const arch = builder["remote"]["arch"];
  if (typeof arch !== "string" || arch !== builder["local"]["arch"]) return [];
  return [{ path: ["builder", "remote", "arch"], message: `should differ from builder.local.arch: both are ${arch}` }];
}

/** The roles as written; a list of hosts is the role `web`. */
function rolesOf(written: Written): [string, unknown][] {
  const { servers } = written;
  if (Array.isArray(servers)) return [[DEFAULTS.primaryRole, servers]];
  return isMap(servers) ? Object.entries(servers) : [];
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

function accessoryMistakes(written: Written): Mistake[] {
  const accessories = written["accessories"];
  if (!isMap(accessories)) return [];
  const roles = rolesOf(written).map(([name]) => name);
  const services = new Map<string, string>();
  return Object.entries(accessories).flatMap(([name, accessory]): Mistake[] => {
    if (!isMap(accessory)) return [];
    const path = ["accessories", name];
    const wrong = placementMistakes(name, accessory, path);
    const itsRoles: readonly unknown[] = Array.isArray(accessory["roles"]) ? accessory["roles"] : [];
    itsRoles.forEach((role, index) => {
      if (typeof role === "string" && roles.length > 0 && !roles.includes(role)) {
        wrong.push({ path: [...path, "roles", index], message: `unknown role: ${role} (roles: ${roles.join(", ")})` });
      }
    });
    const service =
      typeof accessory["service"] === "string" ? accessory["service"] : `${String(written["service"])}-${name}`;
    const other = service === "traefik" ? "the proxy" : services.get(service);
    if (other) wrong.push({ path: [...path, "service"], message: `${service} is also the name of ${other}` });
    services.set(service, `the accessory ${name}`);
    return wrong;
  });
}

function placementMistakes(name: string, accessory: Written, path: readonly string[]): Mistake[] {
  const given = ["host", "hosts", "roles"].filter((key) => Object.hasOwn(accessory, key));
  if (given.length !== 1) {
    const message = `Specify one of \`host\`, \`hosts\` or \`roles\` for accessory \`${name}\``;
    return [{ path, message, missing: ["host", "hosts", "roles"].map((key) => [...path, key]) }];
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

function isMap(value: unknown): value is Written {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function entriesOf(value: unknown): [string, unknown][] {
  return isMap(value) ? Object.entries(value) : [];
}

function below(value: unknown, key: string): unknown {
  return isMap(value) ? value[key] : undefined;
}

/** Missing or empty: also a list of empty values. */
function blank(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === "string") return value.trim() === "";
  if (Array.isArray(value)) return value.every(blank);
  return typeof value === "object" && Object.keys(value).length === 0;
}
