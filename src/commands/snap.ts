import { type Raw, type Shell, sh } from "./command.ts";

/**
 * Fails where docker comes from a snap, which sees a home's folders without a dot and removable disks, but not the folder.
 * @param folder shell text of an absolute path without links
 */
export function visibleToDocker(folder: Raw): Shell {
  return sh`docker=$(command -v docker || :)
case $docker:$(readlink -f "$docker" 2>/dev/null || :) in
*/snap/* | */snapd/* | */snap)
  home=$(cd ~ && pwd -P)
  case ${folder} in
  "$home"/[!.]* | /media/* | /mnt/* | /run/media/*) ;;
  *)
    echo "Docker was installed from a snap ($docker), and cannot see ${folder}" >&2
    echo "Set TMPDIR to a folder that it sees (mkdir -p ~/tmp && export TMPDIR=~/tmp), or install Docker from its own packages (https://docs.docker.com/engine/install/)" >&2
    exit 1
    ;;
  esac
  ;;
esac`;
}
