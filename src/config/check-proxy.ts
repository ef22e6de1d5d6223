import type { Mistake } from "./issues.ts";
import { hostsOf, mergeProxies, pathsOf } from "./proxy.ts";
import type { Path } from "./yaml/tree.ts";

type Written = Readonly<Record<string, unknown>>;

/** A role as written, with its hosts. */
export interface WrittenRolePlace {
  readonly name: string;
  readonly role: unknown;
  readonly hosts: readonly string[];
  readonly isPrimary: boolean;
}

/** Mistakes in the sections `proxy` of the top level, the roles and the accessories. */
export function proxyMistakes(written: Written, roles: readonly WrittenRolePlace[]): Mistake[] {
  const root = isMap(written["proxy"]) ? written["proxy"] : {};
  const accessories = isMap(written["accessories"]) ? Object.entries(written["accessories"]) : [];
  const sections: [Path, unknown][] = [
    [["proxy"], written["proxy"]],
    ...roles.map(({ name, role }): [Path, unknown] => [["servers", name, "proxy"], below(role, "proxy")]),
    ...accessories.map(([name, accessory]): [Path, unknown] => [
      ["accessories", name, "proxy"],
      below(accessory, "proxy"),
    ]),
  ];
  return [
    ...sections.flatMap(([path, proxy]) => (isMap(proxy) ? sectionMistakes(proxy, path) : [])),
    ...roles.flatMap((place) => roleMistakes(root, place, written)),
    ...sharedServerMistakes(root, roles),
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
  if (!isMap(run) || run["publish"] !== false) return [];
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

/** Two roles on one server that would get the same requests. */
function sharedServerMistakes(root: Written, roles: readonly WrittenRolePlace[]): Mistake[] {
  const taken = new Map<string, string>();
  return roles.flatMap(({ name, role, hosts, isPrimary }) => {
    const proxy = proxyOfRole(root, below(role, "proxy"), isPrimary || below(role, "traefik") === true);
    if (!proxy || below(role, "traefik") === false) return [];
    const names = hostsOf(proxy).length > 0 ? hostsOf(proxy) : ["every host"];
    const paths = pathsOf(proxy).length > 0 ? pathsOf(proxy) : [""];
    const served = names.flatMap((host) => paths.map((path) => `${host}${path}`));
    const keys = hosts.flatMap((server) => served.map((what) => [`${server} ${what}`, what] as const));
    const [key, what] = keys.find(([one]) => taken.has(one)) ?? [];
    const other = key === undefined ? undefined : taken.get(key);
    for (const [one] of keys) if (!taken.has(one)) taken.set(one, name);
    if (other === undefined) return [];
    const message = `host settings conflict with the role ${other}: both serve ${what} on one server`;
    return [{ path: ["servers", name], message }];
  });
}

/** The merged section of a role behind the proxy; undefined for another role. */
function proxyOfRole(root: Written, own: unknown, byDefault: boolean): Written | undefined {
  if (own === false || (!isSet(own) && !byDefault)) return undefined;
  return mergeProxies<Written>(root, isMap(own) ? own : {});
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isMap(value: unknown): value is Written {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function below(value: unknown, key: string): unknown {
  return isMap(value) ? value[key] : undefined;
}
