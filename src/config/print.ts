import type { Accessory, Config, Environment, Options } from "./config.ts";

const REDACTED = "[REDACTED]";

/**
 * What `mrsk config` shows, as plain data for YAML or JSON, under the original's names. Secrets, build arguments and
 * key material are redacted; what is not set is left out.
 */
export function redactedConfig(config: Config, version: string): Record<string, unknown> {
  const { builder, ssh } = config;
  const primary = config.roles.find((role) => role.name === config.primaryRole);
  const { maxAttempts, intervalSeconds: _, ...healthcheck } = primary?.healthcheck ?? {};
  return present({
    roles: config.roles.map((role) => role.name),
    hosts: [...new Set(config.roles.flatMap((role) => role.hosts))],
    primary_host: config.primaryHost,
    version,
    repository: config.repository,
    absolute_image: `${config.repository}:${version}`,
    service_with_version: `${config.service}-${version}`,
    destination: config.destination,
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
    builder: present({
      kind: builder.kind,
      local: builder.local && present({ ...builder.local }),
      remote: builder.remote && present({ ...builder.remote }),
      args: Object.fromEntries(Array.from(builder.args.keys(), (name) => [name, REDACTED])),
      secrets: builder.secrets,
      dockerfile: builder.dockerfile,
      context: builder.context,
      target: builder.target,
      ssh: builder.ssh,
      cache: builder.cache && present({ ...builder.cache }),
    }),
    accessories: Object.fromEntries(config.accessories.map((accessory) => [accessory.name, describe(accessory)])),
    logging: present({ driver: config.logging.driver, options: plain(config.logging.options) }),
    healthcheck: present({ ...healthcheck, max_attempts: maxAttempts }),
  });
}

function environmentArgs({ secret, clear }: Environment): string[] {
  const secrets = secret.map((name) => `${name}=${REDACTED}`);
  return [...secrets, ...Array.from(clear, ([name, value]) => `${name}=${value}`)].flatMap((pair) => ["-e", pair]);
}

function describe(accessory: Accessory): Record<string, unknown> {
  return present({
    service: accessory.service,
    image: accessory.image,
    hosts: accessory.hosts,
    port: accessory.publish,
    cmd: accessory.cmd,
    env_args: environmentArgs(accessory.env),
    labels: plain(accessory.labels),
    options: plain(accessory.options),
    files: accessory.files.map(({ local, remote, mode }) => `${local}:${remote}:${mode}`),
    directories: accessory.directories.map(({ source, target, mountOptions }) =>
      [source, target, mountOptions].filter((part) => part !== undefined).join(":"),
    ),
    volumes: accessory.volumes,
    network: accessory.network,
  });
}

function plain(map: ReadonlyMap<string, string> | Options): Record<string, unknown> {
  return Object.fromEntries(map);
}

/** Without what is not there: undefined, empty lists and empty maps. */
function present(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => {
      if (value === undefined) return false;
      return typeof value !== "object" || value === null || Object.keys(value).length > 0;
    }),
  );
}
