import type { Accessory, AccessoryDirectory, AccessoryFile, Role } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { environmentOf, mapOf, optionsOf } from "./resolve-parts.ts";
import type { WrittenAccessory, WrittenConfig } from "./schema.ts";

/** In the order of the file. */
export function accessoriesOf(written: WrittenConfig, roles: readonly Role[]): Accessory[] {
  return Object.entries(written.accessories ?? {}).map(([name, accessory]) => ({
    name,
    service: accessory.service ?? `${written.service}-${name}`,
    image: accessory.image,
    hosts: hostsOf(accessory, roles),
    publish: accessory.port ? publishOf(accessory.port) : undefined,
    cmd: accessory.cmd ?? undefined,
    env: environmentOf(accessory.env),
    labels: mapOf(accessory.labels),
    options: optionsOf(accessory.options),
    files: (accessory.files ?? []).map(fileOf),
    directories: (accessory.directories ?? []).map(directoryOf),
    volumes: accessory.volumes ?? [],
    network: accessory.network ?? undefined,
  }));
}

function hostsOf(accessory: WrittenAccessory, roles: readonly Role[]): string[] {
  if (accessory.host) return [accessory.host];
  if (accessory.hosts) return accessory.hosts;
  const ofRoles = (accessory.roles ?? []).flatMap((name) => roles.find((role) => role.name === name)?.hosts ?? []);
  return [...new Set(ofRoles)];
}

/** A single port is the same on the host and in the container: `53/udp` is `53:53/udp`. */
function publishOf(port: string): string {
  return port.includes(":") ? port : `${port.replace(/\/.*/, "")}:${port}`;
}

type WrittenFile = NonNullable<WrittenAccessory["files"]>[number];

function fileOf(file: WrittenFile): AccessoryFile {
  if (typeof file !== "string")
    return { local: file.local, remote: file.remote, mode: file.mode ?? DEFAULTS.accessoryFileMode };
  const [local, remote, mode] = file.split(":");
  return { local: local!, remote: remote!, mode: mode ?? DEFAULTS.accessoryFileMode };
}

function directoryOf(directory: string): AccessoryDirectory {
  const [source, target, mountOptions] = directory.split(":");
  return { source: source!, target: target!, mountOptions };
}
