import { type Raw, type Shell, sh } from "../script/command.ts";

/** Exit status of `visibleToDocker` for a folder that docker cannot read. */
export const NOT_VISIBLE = 41;

/**
 * Exits with `NOT_VISIBLE` if docker is a snap and cannot read the folder: a snap reads only folders in the home directory
 * whose names do not begin with a dot, and removable disks. Then prints the path of docker and the folder, on two lines.
 * @param folder shell text of an absolute path without symbolic links
 */
export function visibleToDocker(folder: Raw): Shell {
  return sh`docker=$(command -v docker || :)
case $docker:$(readlink -f "$docker" 2>/dev/null || :) in
*/snap/* | */snapd/* | */snap)
  home=$(cd ~ && pwd -P)
  case ${folder} in
  "$home"/[!.]* | /media/* | /mnt/* | /run/media/*) ;;
  *) printf '%s\n' "$docker" ${folder} >&2; exit ${NOT_VISIBLE} ;;
  esac
  ;;
esac`;
}
