import { type Raw, type Shell, sh } from "../script/command.ts";

/** What `visibleToDocker` ends with for a folder that is not. */
export const NOT_VISIBLE = 41;

/**
 * Ends with `NOT_VISIBLE` where docker comes from a snap, which sees the folders of a home whose names begin with no dot,
 * and removable disks, but not the folder. Prints then where docker is, and the folder, on a line each.
 * @param folder shell text of an absolute path without links
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
