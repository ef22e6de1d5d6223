import { isLocalRegistry } from "./era.ts";
import type { Mistake } from "./issues.ts";
import type { WrittenConfig } from "./schema.ts";
import type { WrittenProxy } from "./schema-proxy.ts";
import type { Path } from "./yaml/tree.ts";

/**
 * A mistake for each setting that is right, and that mrsk cannot carry out yet. The file loads; commands that start
 * containers refuse them.
 */
export function unsupportedOf(written: WrittenConfig): Mistake[] {
  const { accessories, builder, proxy, registry, servers } = written;
  const roles = Array.isArray(servers) ? [] : Object.entries(servers);
  return [
    ...proxySettings(proxy, ["proxy"]),
    ...roles.flatMap(([name, role]) =>
      !Array.isArray(role) && typeof role.proxy === "object"
        ? proxySettings(role.proxy, ["servers", name, "proxy"])
        : [],
    ),
    ...Object.entries(accessories ?? {}).flatMap(([name, accessory]): Mistake[] => {
      const path = ["accessories", name];
      const routed = accessory.proxy && Object.keys(accessory.proxy).length > 0;
      return [
        ...(routed
          ? [notYet([...path, "proxy"], "Traefik does not route to accessories: publish its port with port")]
          : []),
        ...(isWithoutLogin(accessory.registry) ? [notYet([...path, "registry"], LOCAL_REGISTRY)] : []),
      ];
    }),
    ...(isWithoutLogin(registry) ? [notYet(["registry"], LOCAL_REGISTRY)] : []),
    ...(builder?.pack
      ? [notYet(["builder", "pack"], "mrsk does not run the command pack: build with a Dockerfile")]
      : []),
  ];
}

const LOCAL_REGISTRY =
  "images do not reach the servers without a registry that they can reach: write its server, username and password";

/** Whether Kamal 2 would start the registry on this machine. A registry with credentials is used as it is. */
function isWithoutLogin(registry: WrittenConfig["registry"] | null | undefined): boolean {
  return isLocalRegistry(registry?.server) && !registry?.username;
}

/** What Traefik does instead, by the path in the section. A function decides by the value. */
const IN_PROXY: readonly (readonly [path: string, advice: string, applies?: (value: unknown) => boolean])[] = [
  ["ssl", "there are no certificates: end TLS in front of the servers", (value) => value !== false],
  ["forward_headers", "Traefik drops X-Forwarded headers of clients: write false", (value) => value === true],
  ["logging", "write traefik.args: {accesslog: true}"],
  ["run.https_port", "Traefik publishes no port for https: omit it"],
  ["run.bind_ips", "write run.publish: false, and the addresses in traefik.options.publish"],
  ["run.metrics_port", "write traefik.args: {metrics.prometheus: true}"],
  ["run.log_max_size", "write traefik.options: {log-opt: max-size=SIZE}, or logging"],
];

function proxySettings(proxy: WrittenProxy | null | undefined, at: Path): Mistake[] {
  if (!proxy) return [];
  return IN_PROXY.flatMap(([path, advice, applies = () => true]) => {
    const keys = path.split(".");
    const value = keys.reduce<unknown>(
      (here, key) => (here as Record<string, unknown> | null | undefined)?.[key],
      proxy,
    );
    return value === undefined || value === null || !applies(value) ? [] : [notYet([...at, ...keys], advice)];
  });
}

function notYet(path: Path, advice: string): Mistake {
  return { path, message: `not supported yet: ${advice}` };
}
