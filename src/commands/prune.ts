import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { type Command, docker, type Shell, sh } from "../script/command.ts";
import { latestImage, servicePrefix } from "../config/names.ts";

/** Removes the service's unused images except `latest`, then its dangling images. */
export function pruneImages(config: Config): Shell {
  return call("prune_images", config.service, latestImage(config));
}

/** Removes the containers that interrupted health checks have left, of `healthcheck perform` and of MRSK. */
export function pruneProbes(config: Config): Command {
  const filter = `label=service=healthcheck-${servicePrefix(config)}`;
  return docker("container", "prune", "--force", "--filter", filter);
}

/** Removes these containers if they are stopped: docker refuses to remove running ones. */
export function removeContainers(ids: readonly string[]): Shell {
  return ids.length === 0 ? sh`:` : sh`${docker("container", "rm", ...ids)} || true`;
}
