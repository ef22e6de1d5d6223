import { raw, type Shell, sh } from "../script/command.ts";
import { visibleToDocker } from "./snap.ts";

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
 * A clone of the repository of the working directory whose work tree is at a commit, with its submodules as that commit
 * has them. The repository itself writes the files, so its settings, attributes, filters and promisor remote count as in
 * a checkout there; sparse patterns and hooks do not. Fails unless every file of the commit has been written. A
 * submodule that is not checked out here stays empty, and is named.
 * @param revision full sha
 */
export function checkOut(revision: string, folder: Shell): Shell {
  return sh`top=$(git rev-parse --show-toplevel)
own=$(git rev-parse --absolute-git-dir)
umask 022
${FORGET_PLACES}
mkdir -m 700 ${folder}
work=$(cd ${folder} && pwd -P)
${visibleToDocker(raw('"$work"'))}
${QUIET_GIT}
${WRITE_FILES}
${NAME_MISSING_FILTERS}
${CLONE}
${TAKE_SETTINGS_ALONG}
copy() (
  from=$1 own=$2 to=$3 id=$4
  mkdir -p "$to"
  write_files
  name_missing_filters
  modules=$(place ls-files --stage | sed -n 's/^160000 \([0-9a-f]*\) [0-9]*	/\1 /p')
  clone
  mv "$work/clone/.git" "$to/.git"
  mv "$work/index" "$to/.git/index"
  take_settings_along
  git -C "$to" -c core.hooksPath=/dev/null update-ref --no-deref HEAD "$id"
  [ -z "$modules" ] || printf '%s\n' "$modules" | while IFS= read -r module; do
    path=${raw("${module#* }")}
    if [ -e "$from/$path/.git" ]; then
      own=$(git -C "$from/$path" rev-parse --absolute-git-dir)
      copy "$from/$path" "$own" "$to/$path" "${raw("${module%% *}")}"
    else echo "The submodule $path is not checked out here, so the build goes without it"
    fi
  done
)
copy "$top" "$own" "$work/source" ${revision}`;
}

/** A git hook that calls mrsk has variables which would lead git back to it. Settings in variables stay. */
const FORGET_PLACES = sh`unset $(git rev-parse --local-env-vars | grep -v '^GIT_CONFIG_')`;

/** `place`: git in the repository, with a work tree and an index elsewhere, and nothing that watches or follows those. */
const QUIET_GIT = sh`place() {
  LANGUAGE=C GIT_INDEX_FILE="$work/index" git --git-dir="$own" --work-tree="$to" -c core.quotePath=false \
    -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.splitIndex=false -c core.sparseCheckout=false \
    -c submodule.recurse=false "$@"
}`;

/** git goes on after a filter or a conversion that failed, and may do so after a file that it could not write. */
const WRITE_FILES = sh`write_files() {
  place read-tree --reset -u "$id" 2>"$work/said" || { status=$?; cat "$work/said" >&2; exit "$status"; }
  cat "$work/said" >&2
  ! grep -q -e '^error: .*external filter' -e '^error: failed to encode' "$work/said" || exit 1
  missing=$(place ls-files --deleted)
  [ -z "$missing" ] || { printf 'These files of the commit were not written:\n%s\n' "$missing" >&2; exit 1; }
}`;

/** Large files stay pointers where git-lfs is not installed: as in any checkout, and easily overlooked. */
const NAME_MISSING_FILTERS = sh`name_missing_filters() {
  { place -c grep.lineNumber=false -c grep.column=false grep --cached --no-color -hF -e 'filter=' -- ':(glob)**/.gitattributes' || :; } |
    sed -n '/^[[:space:]]*#/d; s/.*[[:space:]]filter=\([^[:space:]]*\).*/\1/p' | sort -u |
    while IFS= read -r filter; do
      git --git-dir="$own" config --get-regexp '^filter\..*\.(clean|smudge|process)$' | grep -qF "filter.$filter." ||
        echo "The attributes name the filter $filter, which git does not have here, so its files are built as they are stored"
    done
}`;

/**
 * The history, for a Dockerfile that runs git. A shallow partial clone can hand over the commit alone: git makes no
 * complete copy of one. git trusts the folder in which it found the repository; its upload-pack checks that again.
 */
const CLONE = sh`clone() (
  unset GIT_ALLOW_PROTOCOL
  [ -e "$from/.git" ] || from=$own
  serve="git -c safe.directory='*' -c uploadpack.allowAnySHA1InWant=true upload-pack"
  freely() {
    git -c core.hooksPath=/dev/null -c protocol.file.allow=always -c clone.rejectShallow=false -c safe.directory='*' "$@"
  }
  if [ "$(git --git-dir="$own" rev-parse --is-shallow-repository)" = true ] &&
    git --git-dir="$own" config --get-regexp '^remote\..*\.promisor$' >"$work/said"; then
    git init --quiet --template= "$work/clone"
    cd "$work/clone"
    freely fetch --quiet --depth 1 --upload-pack "$serve" "$from" "$id"
  else freely clone --quiet --no-checkout --dissociate --template= --upload-pack "$serve" "$from" "$work/clone"
  fi
)`;

/** What makes files differ from what is stored: without it, git in the build would call them changed. */
const TAKE_SETTINGS_ALONG = sh`take_settings_along() {
  for name in core.autocrlf core.eol core.symlinks; do
    if value=$(git --git-dir="$own" config "$name"); then git -C "$to" config "$name" "$value"; fi
  done
  attributes=$(git --git-dir="$own" rev-parse --git-common-dir)/info/attributes
  [ ! -f "$attributes" ] || { mkdir -p "$to/.git/info"; cp "$attributes" "$to/.git/info/attributes"; }
}`;
