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
  const { accessories, builder, registry } = written;
  return [
    ...Object.entries(accessories ?? {}).flatMap(([name, accessory]): Mistake[] => {
      const path = ["accessories", name];
      return [
        ...(accessory.proxy ? ofAccessory(accessory.proxy, [...path, "proxy"]) : []),
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

/**
 * Settings of an accessory's section `proxy`, and what Traefik does instead. An accessory has no live file, which alone could
 * limit the time of a response. A function decides by the value.
 */
const OF_ACCESSORY: readonly (readonly [
  key: "ssl" | "response_timeout",
  advice: string,
  applies?: (value: unknown) => boolean,
])[] = [
  ["ssl", "mrsk gets certificates for roles alone: end TLS in front of the accessory", (value) => value !== false],
  ["response_timeout", "Traefik waits for responses of an accessory without a limit: omit it"],
];

function ofAccessory(proxy: WrittenProxy, at: Path): Mistake[] {
  return OF_ACCESSORY.flatMap(([key, advice, applies = () => true]) => {
    const value = proxy[key];
    return value === undefined || value === null || !applies(value) ? [] : [notYet([...at, key], advice)];
  });
}

function notYet(path: Path, advice: string): Mistake {
  return { path, message: `not supported yet: ${advice}` };
}
