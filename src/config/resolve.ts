import { accessoriesOf } from "./accessory.ts";
import type { Boot, Builder, Config, Credential, Release, Role, Ssh, Traefik } from "./config.ts";
import { DEFAULTS } from "./defaults.ts";
import { environmentOf, loggingOf, mapOf, optionsOf } from "./resolve-parts.ts";
import { rolesOf } from "./role.ts";
import { notesOf } from "./notes.ts";
import type { WrittenConfig } from "./schema.ts";
import { Secret } from "./env/secret.ts";

type Maybe<T> = T | null | undefined;

/** Fills in every default. `written` has passed the schema and the checks. */
export function resolve(written: WrittenConfig, file: string, destination: string | undefined): Config {
  const roles = rolesOf(written);
  const primaryRole = written.primary_role ?? DEFAULTS.primaryRole;
  const { server, username, password } = written.registry;
  return {
    file,
    destination,
    service: written.service,
    repository: server ? `${server}/${written.image}` : written.image,
    registry: {
      server: server ?? undefined,
      username: credentialOf(username, "registry username"),
      password: credentialOf(password, "registry password"),
    },
    roles,
    primaryRole,
    primaryHost: roles.find((role) => role.name === primaryRole)!.hosts[0]!,
    env: environmentOf(written.env),
    volumes: written.volumes ?? [],
    logging: loggingOf(written.logging),
    accessories: accessoriesOf(written, roles),
    traefik: traefikOf(written.traefik),
    builder: builderOf(written.builder),
    boot: bootOf(written.boot, roles),
    ssh: sshOf(written),
    hooksPath: written.hooks_path ?? DEFAULTS.hooksPath,
    readinessDelaySeconds: written.readiness_delay ?? DEFAULTS.readinessDelaySeconds,
    stopWaitSeconds: written.stop_wait_time ?? undefined,
    drainTimeoutSeconds: written.drain_timeout ?? DEFAULTS.drainTimeoutSeconds,
    retainContainers: written.retain_containers ?? DEFAULTS.retainContainers,
    runDirectory: written.run_directory ?? DEFAULTS.runDirectory,
    network: written.network ?? undefined,
    release: releaseOf(written.release, primaryRole),
    aliases: mapOf(written.aliases),
    requireDestination: written.require_destination ?? false,
    minimumVersion: written.minimum_version ?? undefined,
    notes: notesOf(written, roles),
  };
}

function credentialOf(written: string | readonly string[], name: string): Credential {
  return typeof written === "string" ? { value: new Secret(name, written) } : { variable: written[0]! };
}

function traefikOf(written: Maybe<WrittenConfig["traefik"]>): Traefik {
  return {
    image: written?.image ?? DEFAULTS.traefik.image,
    hostPort: written?.publish === false ? undefined : (written?.host_port ?? DEFAULTS.traefik.hostPort),
    args: optionsOf(written?.args),
    options: optionsOf(written?.options),
    labels: mapOf(written?.labels),
    env: environmentOf(written?.env),
  };
}

function builderOf(written: Maybe<WrittenConfig["builder"]>): Builder {
  const side = (builder: Maybe<{ arch: string; host?: string | null | undefined }>) =>
    builder ? { arch: builder.arch, host: builder.host ?? undefined } : undefined;
  const cache = written?.cache;
  return {
    kind: builderKind(written),
    local: side(written?.local),
    remote: side(written?.remote),
    args: mapOf(written?.args),
    secrets: written?.secrets ?? [],
    allowTrackedEnv: written?.allow_tracked_env ?? false,
    dockerfile: written?.dockerfile ?? DEFAULTS.builder.dockerfile,
    context: written?.context ?? DEFAULTS.builder.context,
    contextGiven: typeof written?.context === "string",
    target: written?.target ?? undefined,
    ssh: written?.ssh ?? undefined,
    cache: cache
      ? { type: cache.type, options: cache.options ?? undefined, image: cache.image ?? undefined }
      : undefined,
  };
}

function builderKind(written: Maybe<WrittenConfig["builder"]>): Builder["kind"] {
  if (written?.multiarch === false) return written.cache ? "native/cached" : "native";
  if (!written?.remote) return "multiarch";
  return written.local ? "multiarch/remote" : "native/remote";
}

function bootOf(written: Maybe<WrittenConfig["boot"]>, roles: readonly Role[]): Boot {
  const limit = written?.limit ?? undefined;
  const hosts = new Set(roles.flatMap((role) => role.hosts)).size;
  return {
    limit: typeof limit === "string" ? Math.max(1, Math.floor((hosts * Number.parseFloat(limit)) / 100)) : limit,
    waitSeconds: written?.wait ?? (limit === undefined ? 0 : DEFAULTS.boot.waitSeconds),
    watchSeconds: written?.watch ?? DEFAULTS.boot.watchSeconds,
  };
}

function sshOf({ ssh, sshkit }: WrittenConfig): Ssh {
  return {
    user: ssh?.user ?? DEFAULTS.ssh.user,
    port: ssh?.port ?? undefined,
    proxy: ssh?.proxy ?? undefined,
    proxyCommand: ssh?.proxy_command ?? undefined,
    keys: listOf(ssh?.keys),
    keysOnly: ssh?.keys_only ?? false,
    keyData: listOf(ssh?.key_data),
    config: typeof ssh?.config === "boolean" ? ssh.config : ssh?.config ? listOf(ssh.config) : true,
    logLevel: ssh?.log_level ?? DEFAULTS.ssh.logLevel,
    maxConcurrentStarts: sshkit?.max_concurrent_starts ?? DEFAULTS.sshkit.maxConcurrentStarts,
    poolIdleTimeoutSeconds: sshkit?.pool_idle_timeout ?? DEFAULTS.sshkit.poolIdleTimeoutSeconds,
    connectTimeoutSeconds: ssh?.connect_timeout ?? DEFAULTS.ssh.connectTimeoutSeconds,
  };
}

function listOf(written: Maybe<string | readonly string[]>): readonly string[] {
  return typeof written === "string" ? [written] : (written ?? []);
}

function releaseOf(written: Maybe<WrittenConfig["release"]>, primaryRole: string): Release | undefined {
  if (written === null || written === undefined) return undefined;
  const release = typeof written === "string" ? { command: written } : written;
  return {
    command: release.command,
    timeoutSeconds: release.timeout ?? DEFAULTS.release.timeoutSeconds,
    role: release.role ?? primaryRole,
  };
}
