import type { Config } from "../config/config.ts";
import { lines, raw, type Shell, sh } from "../script/command.ts";
import { image } from "./names.ts";

/** What `checkImage` ends with where the image has no label `service`, or another service's. */
export const NO_LABEL = 65;
/** What `checkImage` ends with where the host cannot run the image. */
export const OTHER_ARCHITECTURE = 66;

/** What `uname -m` calls docker's architectures that builders are asked for. */
const MACHINES: ReadonlyMap<string, string> = new Map([
  ["amd64", "x86_64"],
  ["arm64", "aarch64"],
]);

/**
 * Whether a host can run its image, and would find it again to prune and remove it. Prints the first layer of the image;
 * where not, the label's value, or both architectures (`arm64 x86_64`). It judges the two that builders are asked for.
 * @param architecture the host's, as docker calls it; without, the host is asked
 */
export function checkImage(config: Config, version: string, architecture?: string): Shell {
  const base = "{{with .RootFS.Layers}}{{index . 0}}{{else}}none{{end}}";
  const format = `{{.Architecture}} ${base} {{index .Config.Labels "service"}}`;
  return sh`set -- $(docker image inspect --format ${format} ${image(config, version)})
[ "$3" = ${config.service} ] || { printf '%s\n' "$3"; exit ${NO_LABEL}; }
here=${architecture === undefined ? raw("$(uname -m)") : (MACHINES.get(architecture) ?? architecture)}
case $1 in
  ${lines(...Array.from(MACHINES, ([name, machine]) => sh`${name}) machine=${machine} ;;`))}
  *) machine=$here ;;
esac
[ "$here" = "$machine" ] || [ -e "/proc/sys/fs/binfmt_misc/qemu-$machine" ] || { echo "$1 $here"; exit ${OTHER_ARCHITECTURE}; }
echo "$2"`;
}
