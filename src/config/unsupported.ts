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
      return [
        ...(accessory.proxy ? proxySettings(accessory.proxy, [...path, "proxy"], OF_ACCESSORY) : []),
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
];

/** An accessory has no live file, which alone could limit the time of a response. */
const OF_ACCESSORY: typeof IN_PROXY = [
  ...IN_PROXY,
  ["response_timeout", "Traefik waits for responses of an accessory without a limit: omit it"],
];

function proxySettings(proxy: WrittenProxy | null | undefined, at: Path, table = IN_PROXY): Mistake[] {
  if (!proxy) return [];
  return table.flatMap(([path, advice, applies = () => true]) => {
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
