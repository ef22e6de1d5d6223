import type { Config, Release, Role } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { envFlags, optionFlags, secretsOf, volumeFlags, words } from "./arguments.ts";
import { call } from "../script/call.ts";
import { type Command, docker, type Shell, withEnvironment } from "../script/command.ts";
import { image, servicePrefix } from "../config/names.ts";

/** Label of the release command's container: `S[-D]`, so that no service removes another's. */
const LABEL = "mrsk.release";
/** Options of a role that two containers cannot share, or that conflict with `--rm`. */
const NOT_SHARED: readonly string[] = ["publish", "p", "publish-all", "P", "name", "hostname", "ip", "ip6", "restart"];

/**
 * Runs the release command in a container of the version, with the role's environment, volumes and options. Exits with its
 * status. The container has a name and a label, because it continues when `docker run` is killed.
 */
export function runRelease(
  config: Config,
  role: Role,
  {
    release,
    version,
    suffix,
    secrets,
  }: {
    release: Release;
    version: string;
    /** Hex digits. */
    suffix: string;
    secrets: ReadonlyMap<string, Secret>;
  },
): Command {
  const options = new Map([...role.options].filter(([name]) => !NOT_SHARED.includes(name)));
  const name = `release-${servicePrefix(config)}-${suffix}`;
  return withEnvironment(
    secretsOf(role.env, secrets),
    docker(
      "run",
      "--rm",
      "--name",
      name,
      "--label",
      `${LABEL}=${servicePrefix(config)}`,
      ...(config.network === undefined ? [] : ["--network", config.network]),
      "-e",
      `MRSK_CONTAINER_NAME=${name}`,
      "-e",
      `MRSK_VERSION=${version}`,
      ...envFlags(role.env),
      ...volumeFlags(config.volumes),
      ...optionFlags(options),
      image(config, version),
      ...words(release.command),
    ),
  );
}

/** Stops and removes the containers that interrupted runs have left. */
export function removeReleaseContainers(config: Config): Shell {
  return call("remove_labelled", `${LABEL}=${servicePrefix(config)}`);
}
