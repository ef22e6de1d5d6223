import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { type Command, docker, type Shell, sh } from "../script/command.ts";
import { latestImage, servicePrefix } from "./names.ts";

/** Images of the service that no container uses, but `latest`; then what lost its tag. */
export function pruneImages(config: Config): Shell {
  return call("prune_images", config.service, latestImage(config));
}

/** Containers of `healthcheck perform` and of the original's probe that something cut off before it took them away. */
export function pruneProbes(config: Config): Command {
  const filter = `label=service=healthcheck-${servicePrefix(config)}`;
  return docker("container", "prune", "--force", "--filter", filter);
}

/** Removes these containers, stopped ones only: docker refuses the others, which is what is wanted. */
export function removeContainers(ids: readonly string[]): Shell {
  return ids.length === 0 ? sh`:` : sh`${docker("container", "rm", ...ids)} || true`;
}
