import type { Config } from "../config/config.ts";
import { type Shell, sh } from "./command.ts";
import { image } from "./names.ts";

/** What `checkImage` ends with where the image has no label `service`, or another service's. */
export const NO_LABEL = 65;
/** What `checkImage` ends with where the host cannot run the image. */
export const OTHER_ARCHITECTURE = 66;

/**
 * Whether a host can run its image, and would find it again to prune and remove it. Prints the label's value, or both
 * architectures (`arm64 x86_64`), where not. Of architectures it judges the two that builders are asked for.
 */
export function checkImage(config: Config, version: string): Shell {
  const format = '{{.Architecture}} {{index .Config.Labels "service"}}';
  return sh`set -- $(docker image inspect --format ${format} ${image(config, version)})
[ "$2" = ${config.service} ] || { printf '%s\n' "$2"; exit ${NO_LABEL}; }
here=$(uname -m)
case $1 in
  amd64) machine=x86_64 ;;
  arm64) machine=aarch64 ;;
  *) machine=$here ;;
esac
[ "$here" = "$machine" ] || [ -e "/proc/sys/fs/binfmt_misc/qemu-$machine" ] || { echo "$1 $here"; exit ${OTHER_ARCHITECTURE}; }`;
}
