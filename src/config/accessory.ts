import type { Accessory, AccessoryDirectory, AccessoryFile, Role } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Era } from "./era.ts";
import { proxyOf } from "./proxy.ts";
import { registryOf } from "./registry.ts";
import { mapOf, optionsOf, singleEnvironment } from "./resolve-parts.ts";
import { hostsWithTags, isInert } from "./role.ts";
import type { WrittenAccessory, WrittenConfig } from "./schema.ts";

/** In the order of the file. */
export function accessoriesOf(written: WrittenConfig, roles: readonly Role[], era: Era): Accessory[] {
  return Object.entries(written.accessories ?? {}).map(([name, accessory]) => ({
    name,
    service: accessory.service ?? `${written.service}-${name}`,
    image: accessory.registry?.server ? `${accessory.registry.server}/${accessory.image}` : accessory.image,
    registry: accessory.registry ? registryOf(accessory.registry, `registry of the accessory ${name}`) : undefined,
    hosts: hostsOf(accessory, roles, written),
    publish: accessory.port ? publishOf(accessory.port) : undefined,
    cmd: accessory.cmd ?? undefined,
    env: singleEnvironment(accessory.env, era),
    labels: new Map([...mapOf(accessory.labels)].filter(([label]) => !isInert(label, written, era))),
    options: optionsOf(accessory.options),
    files: (accessory.files ?? []).map(fileOf),
    directories: (accessory.directories ?? []).map(directoryOf),
    volumes: accessory.volumes ?? [],
    network: accessory.network ?? undefined,
    // It inherits nothing from the section at the top level. An empty section is none.
    proxy: accessory.proxy && Object.keys(accessory.proxy).length > 0 ? proxyOf(accessory.proxy) : undefined,
  }));
}

function hostsOf(accessory: WrittenAccessory, roles: readonly Role[], { servers }: WrittenConfig): string[] {
  if (accessory.host) return [accessory.host];
  if (accessory.hosts) return accessory.hosts;
  const tags = accessory.tags ?? (accessory.tag ? [accessory.tag] : undefined);
  if (tags) return [...new Set(hostsWithTags(servers, tags))];
  const ofRoles = (accessory.roles ?? (accessory.role ? [accessory.role] : [])).flatMap(
    (name) => roles.find((role) => role.name === name)?.hosts ?? [],
  );
  return [...new Set(ofRoles)];
}

/** A single port is the same on the host and in the container: `53/udp` is `53:53/udp`. */
function publishOf(port: string): string {
  return port.includes(":") ? port : `${port.replace(/\/.*/, "")}:${port}`;
}

type WrittenFile = NonNullable<WrittenAccessory["files"]>[number];

function fileOf(file: WrittenFile): AccessoryFile {
  if (typeof file !== "string") {
    const { local, remote, mode, owner, options } = file;
    return {
      local,
      remote,
      mode: mode ?? DEFAULTS.accessoryFileMode,
      owner: owner ?? undefined,
      mountOptions: options ?? undefined,
    };
  }
  const [local, remote, more] = file.split(":");
  // Digits are a mode, as in MRSK. Kamal 2 has options of the mount there.
  const isMode = more === undefined || /^\d/.test(more);
  const mode = isMode ? (more ?? DEFAULTS.accessoryFileMode) : DEFAULTS.accessoryFileMode;
  return { local: local!, remote: remote!, mode, mountOptions: isMode ? undefined : more };
}

type WrittenDirectory = NonNullable<WrittenAccessory["directories"]>[number];

function directoryOf(directory: WrittenDirectory): AccessoryDirectory {
  if (typeof directory !== "string") {
    const { local, remote, mode, owner, options } = directory;
    const [ownMode, ownOwner] = [mode ?? undefined, owner ?? undefined];
    return { source: local, target: remote, mountOptions: options ?? undefined, mode: ownMode, owner: ownOwner };
  }
  const [source, target, mountOptions] = directory.split(":");
  return { source: source!, target: target!, mountOptions };
}
