import { accessoriesOf } from "./accessory.ts";
import { builderOf } from "./builder.ts";
import type { Boot, Config, HooksOutput, Release, Role, Ssh } from "./config.ts";
import { DEFAULTS, KAMAL2 } from "./defaults.ts";
import { type Era, eraText } from "./era.ts";
import { registryOf } from "./registry.ts";
import { loggingOf, mapOf, singleEnvironment } from "./resolve-parts.ts";
import { rolesOf } from "./role.ts";
import { notesOf } from "./notes.ts";
import type { WrittenConfig } from "./schema.ts";
import { traefikSettings } from "./traefik.ts";

type Maybe<T> = T | null | undefined;

/** Fills in every default of the era. `written` has passed the schema and the checks. */
export function resolve(written: WrittenConfig, era: Era, file: string, destination: string | undefined): Config {
  const roles = rolesOf(written, era);
  const primaryRole = written.primary_role ?? DEFAULTS.primaryRole;
  const { server } = written.registry;
  const kamal2 = era.generation === 2;
  const accessories = accessoriesOf(written, roles, era);
  return {
    file,
    destination,
    era: eraText(era),
    service: written.service,
    destinationLabel: destination ?? (kamal2 ? "" : undefined),
    kamalVariables: kamal2,
    repository: server ? `${server}/${written.image}` : written.image,
    registry: registryOf(written.registry, "registry"),
    roles,
    primaryRole,
    // Without servers, Kamal 2 takes the first host of the accessories.
    primaryHost: [
      ...(roles.find((role) => role.name === primaryRole)?.hosts ?? []),
      ...(accessories[0]?.hosts ?? []),
    ][0]!,
    env: singleEnvironment(written.env, era),
    volumes: written.volumes ?? [],
    logging: loggingOf(written.logging),
    accessories,
    ...traefikSettings(written, roles, accessories, era),
    builder: builderOf(written.builder, kamal2 ? "inherit" : "keep"),
    boot: bootOf(written.boot, roles, kamal2 ? 0 : DEFAULTS.boot.waitSeconds),
    ssh: sshOf(written),
    hooksPath: written.hooks_path ?? DEFAULTS.hooksPath,
    hooksOutput: hooksOutputOf(written.hooks_output),
    secretsPath: written.secrets_path ?? KAMAL2.secretsPath,
    readinessDelaySeconds: written.readiness_delay ?? DEFAULTS.readinessDelaySeconds,
    deployTimeoutSeconds: deployTimeoutOf(written, era),
    stopWaitSeconds: written.stop_timeout ?? written.stop_wait_time ?? undefined,
    drainTimeoutSeconds: written.drain_timeout ?? DEFAULTS.drainTimeoutSeconds,
    retainContainers: written.retain_containers ?? DEFAULTS.retainContainers,
    runDirectory: kamal2 ? KAMAL2.runDirectory : (written.run_directory ?? DEFAULTS.runDirectory),
    network: written.network ?? (kamal2 ? KAMAL2.network : undefined),
    release: releaseOf(written.release, primaryRole),
    aliases: mapOf(written.aliases),
    requireDestination: written.require_destination ?? false,
    minimumVersion: written.minimum_version ?? undefined,
    notes: notesOf(written, roles, accessories, era),
    unsupported: [],
  };
}

/** Written attempts of the health check set the limit, unless `deploy_timeout` does. */
function deployTimeoutOf({ deploy_timeout: written, healthcheck }: WrittenConfig, era: Era): number | undefined {
  if (typeof written === "number") return written;
  return era.generation === 2 && !healthcheck?.max_attempts ? KAMAL2.deployTimeoutSeconds : undefined;
}

function hooksOutputOf(written: Maybe<WrittenConfig["hooks_output"]>): HooksOutput {
  const level = (text: string) => text.replace(/^:/, "") as "quiet" | "verbose";
  if (typeof written === "string") return { all: level(written), byHook: new Map() };
  return { all: undefined, byHook: new Map(Object.entries(written ?? {}).map(([hook, text]) => [hook, level(text)])) };
}

function bootOf(written: Maybe<WrittenConfig["boot"]>, roles: readonly Role[], waitSeconds: number): Boot {
  const limit = written?.limit ?? undefined;
  const hosts = new Set(roles.flatMap((role) => role.hosts)).size;
  return {
    limit: typeof limit === "string" ? Math.max(1, Math.floor((hosts * Number.parseFloat(limit)) / 100)) : limit,
    waitSeconds: written?.wait ?? (limit === undefined ? 0 : waitSeconds),
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
    logLevel: logLevelOf(ssh?.log_level),
    maxConcurrentStarts: sshkit?.max_concurrent_starts ?? DEFAULTS.sshkit.maxConcurrentStarts,
    poolIdleTimeoutSeconds: sshkit?.pool_idle_timeout ?? DEFAULTS.sshkit.poolIdleTimeoutSeconds,
    connectTimeoutSeconds: ssh?.connect_timeout ?? DEFAULTS.ssh.connectTimeoutSeconds,
  };
}

function logLevelOf(written: Maybe<string>): Ssh["logLevel"] {
  return (written?.replace(/^:/, "") as Ssh["logLevel"] | undefined) ?? DEFAULTS.ssh.logLevel;
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
