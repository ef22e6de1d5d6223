import type { Config } from "../config/config.ts";
import { type Command, docker, type Shell, sh } from "./command.ts";
import { latestImage, servicePrefix } from "./names.ts";

/** Images of the service that no container uses, but `latest`; then what lost its tag. */
export function pruneImages(config: Config): Shell {
  const filter = `label=service=${config.service}`;
  return sh`used=$(docker container ls --all --format '{{.Image}}' --filter ${filter})
docker image ls --filter ${filter} --format '{{.Repository}}:{{.Tag}}' | while read -r image; do
  case $image in ${latestImage(config)}|*'<none>'*) continue ;; esac
  printf '%s\n' "$used" | grep -qxF -- "$image" || docker image rm "$image" </dev/null || true
done
${docker("image", "prune", "--force", "--filter", filter, "--filter", "dangling=true")}`;
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
