import { raw, type Shell, sh } from "./command.ts";

/**
 * A folder of this machine for one build, named before it is made, so that it can be removed whatever happens.
 * @param id random hex digits
 */
export function cloneFolder(service: string, id: string): Shell {
  return sh`${raw('"${TMPDIR:-/tmp}"')}/${`mrsk-${service}-${id}`}`;
}

/** Where in the clone the project's own folder is. To be asked in the project: it may be a part of a repository. */
export function projectIn(folder: Shell): Shell {
  return sh`${folder}/source/"$(git rev-parse --show-prefix)"`;
}

/**
 * Clones the repository of the working directory at a commit, with its submodules as that commit has them. All comes
 * from this machine: no network, no credentials. A submodule that is not checked out here stays empty, and is told.
 * @param revision full sha
 */
export function checkOut(revision: string, folder: Shell): Shell {
  return sh`top=$(git rev-parse --show-toplevel)
# A git hook that calls mrsk sets variables which would lead git back to the working directory.
unset $(git rev-parse --local-env-vars)
mkdir -m 700 ${folder}
copy() {
  git clone --quiet --no-checkout "$1" "$2"
  git -C "$2" checkout --quiet --detach "$3"
  git -C "$2" -c core.quotePath=false ls-tree -r "$3" |
    awk '$2 == "commit" { id = $3; sub(/^[^\t]*\t/, ""); print id, $0 }' |
    while read -r id path; do
      if [ -e "$1/$path/.git" ]; then copy "$1/$path" "$2/$path" "$id"
      else echo "The submodule $path is not checked out here, so the build goes without it"
      fi
    done
}
copy "$top" ${folder}/source ${revision}`;
}
