import { ENTRY_POINT_PORTS } from "../ports.ts";
import { KAMAL2 } from "./defaults.ts";
import type { Mistake } from "./issues.ts";
import { hostsOf, mergeProxies, pathsOf } from "./proxy.ts";
import type { Path } from "./yaml/tree.ts";
import { below, isMap, isSet, type Written } from "./written.ts";

/** A role as written, with its hosts. */
export interface WrittenRolePlace {
  readonly name: string;
  readonly role: unknown;
  readonly hosts: readonly string[];
  /** The tags of the hosts that have any. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
  readonly isPrimary: boolean;
}

/** Mistakes in the sections `proxy` of the top level, the roles and the accessories. */
export function proxyMistakes(written: Written, roles: readonly WrittenRolePlace[]): Mistake[] {
  const root = isMap(written["proxy"]) ? written["proxy"] : {};
  const accessories = accessoryPlaces(written, roles);
  const routed = routedOf(root, roles, accessories);
  const routedRoles = roles.filter(({ name }) => routed.some(({ path }) => path[1] === name && path[0] === "servers"));
  const sections: [Path, unknown][] = [
    [["proxy"], written["proxy"]],
    ...roles.map(({ name, role }): [Path, unknown] => [["servers", name, "proxy"], below(role, "proxy")]),
    ...accessories.map(({ name, written: accessory }): [Path, unknown] => [
      ["accessories", name, "proxy"],
      below(accessory, "proxy"),
    ]),
  ];
  return [
    ...sections.flatMap(([path, proxy]) => (isMap(proxy) ? sectionMistakes(proxy, path) : [])),
    ...roles.flatMap((place) => roleMistakes(root, place, written)),
    ...accessories.flatMap((place) =>
      accessoryMistakes(
        written,
        place,
        routedRoles.map(({ name }) => name),
      ),
    ),
    ...sharedServerMistakes(routed),
    ...runConflicts(routed),
  ];
}

function sectionMistakes(proxy: Written, path: Path): Mistake[] {
  const wrong: Mistake[] = [];
  if (isSet(proxy["host"]) && isSet(proxy["hosts"])) {
    wrong.push({ path, message: "Specify one of 'host' or 'hosts', not both" });
  }
  const ssl = proxy["ssl"];
  if (usesAcme(ssl) && hostsOf(proxy).length === 0) {
    wrong.push({ path: [...path, "ssl"], message: "Must set a host to enable automatic SSL: write host here as well" });
  }
  if (usesAcme(ssl) && hostsOf(proxy).some((host) => host.startsWith("*."))) {
    const message = "a certificate for a wildcard needs DNS: write certificate_pem and private_key_pem instead of true";
    wrong.push({ path: [...path, "ssl"], message });
  }
  if (isMap(ssl) && isSet(ssl["certificate_pem"]) !== isSet(ssl["private_key_pem"])) {
    const [has, lacks] = isSet(ssl["certificate_pem"])
      ? ["certificate_pem", "private_key_pem"]
      : ["private_key_pem", "certificate_pem"];
    wrong.push({ path: [...path, "ssl"], message: `${has} needs ${lacks}: both name secrets` });
  }
  return [...wrong, ...runMistakes(proxy["run"], [...path, "run"])];
}

function runMistakes(run: unknown, path: Path): Mistake[] {
  if (!isMap(run)) return [];
  const metrics = Number(run["metrics_port"]);
  const message = `Traefik has another entry point at port ${metrics} of its container: write another port`;
  const taken = Object.values(ENTRY_POINT_PORTS).some((port) => port === metrics);
  return [...(taken ? [{ path: [...path, "metrics_port"], message }] : []), ...unpublished(run, path)];
}

function unpublished(run: Written, path: Path): Mistake[] {
  if (run["publish"] !== false) return [];
  return ["http_port", "https_port", "bind_ips"]
    .filter((key) => isSet(run[key]))
    .map((key) => ({ path: [...path, key], message: "publish: false publishes no port: remove one of the two" }));
}

/** true, or a map without a certificate: an empty map is true in Kamal. */
function usesAcme(ssl: unknown): boolean {
  return ssl === true || (isMap(ssl) && !isSet(ssl["certificate_pem"]) && !isSet(ssl["private_key_pem"]));
}

function roleMistakes(root: Written, { name, role, hosts, isPrimary }: WrittenRolePlace, written: Written): Mistake[] {
  const path = ["servers", name];
  const own = below(role, "proxy");
  const traefik = below(role, "traefik");
  const wrong: Mistake[] = [];
  if (isSet(own) && isSet(traefik)) {
    wrong.push({ path: [...path, "traefik"], message: "proxy is the same setting in Kamal 2: remove one of the two" });
  }
  const proxy = proxyOfRole(root, own, isPrimary || traefik === true);
  if (!proxy) return wrong;
  if (isMap(own) && !isSet(own["host"]) !== !isSet(own["hosts"])) {
    const other = isSet(own["host"]) ? "hosts" : "host";
    if (isSet(root[other])) {
      const message = `Specify one of 'host' or 'hosts', not both: proxy at the top level has ${other}`;
      wrong.push({ path: [...path, "proxy"], message });
    }
  }
  if (usesAcme(proxy["ssl"]) && hosts.length > 1) {
    const message =
      "SSL is only supported on a single server unless you provide custom certificates: write certificate_pem and private_key_pem";
    wrong.push({ path: isSet(below(own, "ssl")) ? [...path, "proxy", "ssl"] : ["proxy", "ssl"], message });
  }
  return [...wrong, ...checkMistakes(proxy, role, written, path)];
}

/** A health check that both `proxy` and `healthcheck` set. */
function checkMistakes(proxy: Written, role: unknown, written: Written, path: Path): Mistake[] {
  const places: [Path, unknown][] = [
    [["healthcheck"], written["healthcheck"]],
    [[...path, "healthcheck"], below(role, "healthcheck")],
  ];
  return places.flatMap(([at, check]) =>
    ["path", "interval"]
      .filter((key) => isSet(below(check, key)) && isSet(below(proxy["healthcheck"], key)))
      .map((key) => ({ path: [...at, key], message: `proxy/healthcheck has ${key} too: keep one of the two` })),
  );
}

/** What Traefik routes requests to: a role or an accessory. */
interface Routed {
  readonly name: string;
  readonly path: Path;
  /** With the section of the top level, for a role. */
  readonly proxy: Written;
  readonly hosts: readonly string[];
  /** Whether its own section has the key `run`. */
  readonly ownRun: boolean;
}

function routedOf(root: Written, roles: readonly WrittenRolePlace[], accessories: readonly Place[]): Routed[] {
  const routedRoles = roles.flatMap(({ name, role, hosts, isPrimary }): Routed[] => {
    const own = below(role, "proxy");
    const proxy = proxyOfRole(root, own, isPrimary || below(role, "traefik") === true);
    if (!proxy || below(role, "traefik") === false) return [];
    return [{ name: `the role ${name}`, path: ["servers", name], proxy, hosts, ownRun: isSet(below(own, "run")) }];
  });
  const routedAccessories = accessories.flatMap(({ name, written, hosts }): Routed[] => {
    const proxy = below(written, "proxy");
    if (!isMap(proxy) || Object.keys(proxy).length === 0) return [];
    return [{ name: `the accessory ${name}`, path: ["accessories", name, "proxy"], proxy, hosts, ownRun: true }];
  });
  return [...routedRoles, ...routedAccessories];
}

/** Two roles or accessories on one server that would get the same requests. */
function sharedServerMistakes(routed: readonly Routed[]): Mistake[] {
  const taken = new Map<string, string>();
  return routed.flatMap(({ name, path, proxy, hosts }) => {
    const names = hostsOf(proxy).length > 0 ? hostsOf(proxy) : ["every host"];
    const paths = pathsOf(proxy).length > 0 ? pathsOf(proxy) : [""];
    const served = names.flatMap((host) => paths.map((prefix) => `${host}${prefix}`));
    const keys = hosts.flatMap((server) => served.map((what) => [`${server} ${what}`, what] as const));
    const [key, what] = keys.find(([one]) => taken.has(one)) ?? [];
    const other = key === undefined ? undefined : taken.get(key);
    for (const [one] of keys) if (!taken.has(one)) taken.set(one, name);
    if (other === undefined) return [];
    return [{ path, message: `host settings conflict with ${other}: both serve ${what} on one server` }];
  });
}

/** Sections `run` that describe the proxy of one server differently. A section without the key says nothing. */
function runConflicts(routed: readonly Routed[]): Mistake[] {
  const seen = new Map<string, { readonly name: string; readonly run: Written }>();
  return routed.flatMap(({ name, path, proxy, hosts, ownRun }) => {
    const { run } = proxy;
    if (!isMap(run)) return [];
    const found = hosts.map((host) => [host, seen.get(host)] as const);
    for (const [host, other] of found) if (!other) seen.set(host, { name, run });
    const [host, other] = found.find(([, one]) => one && textOf(one.run) !== textOf(run)) ?? [];
    if (!host || !other) return [];
    const at = path[0] === "servers" ? [...path, "proxy", "run"] : [...path, "run"];
    const message = `Conflicting proxy run configurations for host ${host}: ${other.name} has other settings`;
    return [{ path: ownRun ? at : ["proxy", "run"], message }];
  });
}

/** The same text for maps with the same values: their order, and keys without a value, mean nothing. */
function textOf(value: unknown): string {
  if (!isMap(value)) return JSON.stringify(value);
  const set = Object.entries(value).filter(([, item]) => isSet(item));
  return JSON.stringify(set.map(([key, item]) => `${key} ${textOf(item)}`).toSorted());
}

/** An accessory as written, with its hosts. */
interface Place {
  readonly name: string;
  readonly written: unknown;
  readonly hosts: readonly string[];
}

function accessoryPlaces(written: Written, roles: readonly WrittenRolePlace[]): Place[] {
  const accessories = isMap(written["accessories"]) ? Object.entries(written["accessories"]) : [];
  return accessories.map(([name, accessory]) => {
    const listOf = (...keys: readonly string[]) => keys.flatMap((key) => below(accessory, key) ?? []).map(String);
    const names = listOf("role", "roles");
    const ofRoles = roles.flatMap((place) => (names.includes(place.name) ? place.hosts : []));
    const tags = listOf("tag", "tags");
    const ofTags = roles.flatMap(({ tags: tagged }) =>
      [...tagged].flatMap(([host, own]) => (own.some((tag) => tags.includes(tag)) ? [host] : [])),
    );
    return { name, written: accessory, hosts: [...listOf("host", "hosts"), ...ofRoles, ...ofTags] };
  });
}

/** Traefik reaches an accessory on its own network alone, and finds it by the name of its service. */
function accessoryMistakes(written: Written, { name, written: accessory }: Place, roles: readonly string[]): Mistake[] {
  const proxy = below(accessory, "proxy");
  if (!isMap(proxy) || Object.keys(proxy).length === 0) return [];
  const path = ["accessories", name];
  const [main, named, ownNetwork] = [written["service"], below(accessory, "service"), written["network"]];
  const traefik = typeof ownNetwork === "string" ? ownNetwork : KAMAL2.network;
  const options = below(accessory, "options");
  const own = below(below(written["traefik"], "options"), "network");
  const places: [Path, unknown][] = isSet(own)
    ? []
    : [
        [[...path, "network"], below(accessory, "network")],
        [[...path, "options", "network"], below(options, "network")],
        [[...path, "options", "net"], below(options, "net")],
      ];
  const prefix = typeof main === "string" ? main : "";
  const service = typeof named === "string" ? named : `${prefix}-${name}`;
  const role = roles.find((one) => `${prefix}-${one}` === service);
  const taken = `${service} is the name of the role ${role} in Traefik: write service with another name`;
  return [
    ...places
      .filter(([, network]) => isSet(network) && network !== traefik)
      .map(([at]) => ({
        path: at,
        message: `Traefik is on the network ${traefik}, and cannot reach an accessory with proxy on another one`,
      })),
    ...(role === undefined ? [] : [{ path: [...path, "proxy"], message: taken }]),
  ];
}

/** The merged section of a role behind the proxy; undefined for another role. */
function proxyOfRole(root: Written, own: unknown, byDefault: boolean): Written | undefined {
  if (own === false || (!isSet(own) && !byDefault)) return undefined;
  return mergeProxies<Written>(root, isMap(own) ? own : {});
}
