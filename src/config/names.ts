import type { Config, Role } from "./config.ts";

/** `S-R[-D]`: the prefix of the names of a role's containers, router and live file. */
export function containerPrefix(config: Config, role: Pick<Role, "name">): string {
  return [config.service, role.name, config.destination].filter((part) => part !== undefined).join("-");
}

/** `S-R[-D]-V`. */
export function containerName(config: Config, role: Role, version: string): string {
  return `${containerPrefix(config, role)}-${version}`;
}

/** The version in a container's name, without the suffix of a rename on conflict; undefined without the prefix. */
export function versionOf(prefix: string, name: string): string | undefined {
  if (!name.startsWith(`${prefix}-`)) return undefined;
  return name.slice(prefix.length + 1).replace(/_replaced_[0-9a-f]{16}$/, "");
}

export function image(config: Config, version: string): string {
  return `${config.repository}:${version}`;
}

export function latestImage(config: Config): string {
  return image(config, "latest");
}

/** `S[-D]`: names the files that all roles share: lock, audit log, list of versions. */
export function servicePrefix(config: Config): string {
  return config.destination === undefined ? config.service : `${config.service}-${config.destination}`;
}

/** In the login user's home directory, as in MRSK. */
export function auditFile(config: Config): string {
  return `mrsk-${servicePrefix(config)}-audit.log`;
}

/** In the login user's home directory. */
export function lockDirectory(config: Config): string {
  return `${config.runDirectory}/lock-${servicePrefix(config)}`;
}

/** `user@host:port` and `[v6]:port` without user and port. */
export function hostPart(host: string): string {
  const address = host.slice(host.lastIndexOf("@") + 1);
  const bracketed = /^\[(.+)\](?::\d+)?$/.exec(address);
  if (bracketed) return bracketed[1]!;
  return (address.match(/:/g) ?? []).length === 1 ? address.replace(/:\d+$/, "") : address;
}
