import type { Config, Environment } from "./config.ts";
import { REDACTED, Secret } from "./env/secret.ts";

/**
 * The output of `mrsk config`, as plain data for YAML or JSON: first the fields that MRSK prints, under its names, then
 * every field of the resolved configuration. Secrets, build arguments and private keys are redacted; fields without a
 * value are omitted.
 */
export function redactedConfig(config: Config, version: string): Record<string, unknown> {
  const { roles, accessories, builder, ssh, ...rest } = config;
  return present({
    ...fieldsOfMrsk(config, version),
    ...plainMap(rest),
    servers: byName(roles),
    builder: plain({ ...builder, args: redacted(builder.args) }),
    accessories: byName(accessories),
    ssh: plain({ ...ssh, keyData: ssh.keyData.map(() => REDACTED) }),
  });
}

function fieldsOfMrsk(config: Config, version: string): Record<string, unknown> {
  const { roles, ssh } = config;
  const {
    maxAttempts,
    intervalSeconds: _,
    ...healthcheck
  } = roles.find((role) => role.name === config.primaryRole)?.healthcheck ?? {};
  return {
    roles: roles.map((role) => role.name),
    hosts: [...new Set(roles.flatMap((role) => role.hosts))],
    primary_host: config.primaryHost,
    version,
    repository: config.repository,
    absolute_image: `${config.repository}:${version}`,
    service_with_version: `${config.service}-${version}`,
    env_args: environmentArgs(config.env),
    volume_args: config.volumes.flatMap((volume) => ["--volume", volume]),
    ssh_options: present({
      user: ssh.user,
      port: ssh.port,
      proxy: ssh.proxy,
      proxy_command: ssh.proxy === undefined ? ssh.proxyCommand : undefined,
      keys: ssh.keys,
      keys_only: ssh.keysOnly || undefined,
      key_data: ssh.keyData.map(() => REDACTED),
      auth_methods: ["publickey"],
    }),
    healthcheck: present({ ...healthcheck, max_attempts: maxAttempts }),
  };
}

function environmentArgs({ secret, clear }: Environment): string[] {
  const secrets = secret.map((name) => `${name}=${REDACTED}`);
  return [...secrets, ...Array.from(clear, ([name, value]) => `${name}=${value}`)].flatMap((pair) => ["-e", pair]);
}

function byName(items: readonly { readonly name: string }[]): Record<string, unknown> {
  return Object.fromEntries(items.map(({ name, ...item }) => [name, plainMap(item)]));
}

function redacted(map: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map(Array.from(map.keys(), (name) => [name, REDACTED]));
}

/** Maps and objects as plain objects with names in snake case. */
function plain(value: unknown): unknown {
  if (value instanceof Secret) return REDACTED;
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, item]) => [String(key), plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" && value !== null ? plainMap(value) : value;
}

function plainMap(values: object): Record<string, unknown> {
  return present(Object.fromEntries(Object.entries(values).map(([key, value]) => [snakeCase(key), plain(value)])));
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Without undefined values, empty lists and empty maps. */
function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => {
      if (value === undefined) return false;
      return typeof value !== "object" || value === null || Object.keys(value).length > 0;
    }),
  );
}
