import type { Config, Role } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { envFlags, optionFlags, secretsOf, volumeFlags, words } from "./arguments.ts";
import { HEALTH_OR_STATE, logs } from "./app.ts";
import { type Command, docker, withEnvironment } from "../script/command.ts";
import { healthFlags } from "./healthcheck.ts";
import { image, servicePrefix } from "./names.ts";

/** Name of the container that `healthcheck perform` tries a version in. */
export function probeName(config: Config, version: string): string {
  return `healthcheck-${servicePrefix(config)}-${version}`;
}

/**
 * A container of the version that gets no requests, to see whether it passes the role's health check. Nothing of it is
 * published: docker asks inside, so neither two services nor the role's own ports can collide.
 */
export function runProbe(
  config: Config,
  role: Role,
  {
    version,
    secrets,
    startInterval,
  }: { version: string; secrets: ReadonlyMap<string, Secret>; startInterval: boolean },
): Command {
  const options = new Map([...role.options].filter(([name]) => name !== "publish" && name !== "p"));
  return withEnvironment(
    secretsOf(role.env, secrets),
    docker(
      "run",
      "--detach",
      "--name",
      probeName(config, version),
      ...(config.network === undefined ? [] : ["--network", config.network]),
      "--label",
      `service=healthcheck-${servicePrefix(config)}`,
      "-e",
      `MRSK_CONTAINER_NAME=${probeName(config, version)}`,
      "-e",
      `MRSK_VERSION=${version}`,
      ...envFlags(role.env),
      ...(role.healthcheck ? healthFlags(role.healthcheck, { startInterval }) : []),
      ...volumeFlags(config.volumes),
      ...optionFlags(options),
      image(config, version),
      ...words(role.cmd),
    ),
  );
}

/** `healthy`, `starting`, `unhealthy`, or without a health check the state. */
export function probeStatus(config: Config, version: string): Command {
  return docker("inspect", "--format", HEALTH_OR_STATE, probeName(config, version));
}

/** What docker's last probes of it said, as JSON. */
export function probeHealthLog(config: Config, version: string): Command {
  return docker("inspect", "--format", "{{json .State.Health}}", probeName(config, version));
}

export function probeLogs(config: Config, version: string): Command {
  return logs(probeName(config, version), { lines: 50 });
}

export function stopProbe(config: Config, version: string): Command {
  return docker("stop", probeName(config, version));
}

export function removeProbe(config: Config, version: string): Command {
  return docker("container", "rm", probeName(config, version));
}
