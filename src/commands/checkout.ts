import { raw, type Shell, sh } from "../script/command.ts";
import { visibleToDocker } from "./snap.ts";

/**
 * The path of a folder on this machine for one build. It is known before the folder exists, so that clean-up can remove it.
 * @param id random hex digits
 */
export function cloneFolder(service: string, id: string): Shell {
  return sh`${raw('"${TMPDIR:-/tmp}"')}/${`mrsk-${service}-${id}`}`;
}

/** The path of the project in the clone. Run it in the project's folder, which may be a subdirectory of the repository. */
export function projectIn(folder: Shell): Shell {
  return sh`${folder}/source/"$(git rev-parse --show-prefix)"`;
}

/**
 * Clones the repository of the working directory, and checks out a commit with its submodules. git writes the files from
 * the source repository, so its settings, attributes, filters and promisor remote apply as in a checkout there; its
 * sparse patterns and hooks do not. Fails unless git has written every file of the commit. A submodule that is not checked
 * out here remains empty, and is reported.
 * @param revision full sha
 */
export function checkOut(revision: string, folder: Shell): Shell {
  return sh`top=$(git rev-parse --show-toplevel)
repository=$(git rev-parse --absolute-git-dir)
umask 022
${UNSET_REPOSITORY}
mkdir -m 700 ${folder}
work=$(cd ${folder} && pwd -P)
${visibleToDocker(raw('"$work"'))}
${GIT_IN_CLONE}
${WRITE_FILES}
${REPORT_MISSING_FILTERS}
${CLONE}
${COPY_SETTINGS}
copy() (
  from=$1 own=$2 to=$3 id=$4
  mkdir -p "$to"
  write_files
  report_missing_filters
  modules=$(git_in_clone ls-files --stage | sed -n 's/^160000 \([0-9a-f]*\) [0-9]*	/\1 /p')
  clone
  mv "$work/clone/.git" "$to/.git"
  mv "$work/index" "$to/.git/index"
  copy_settings
  git -C "$to" -c core.hooksPath=/dev/null update-ref --no-deref HEAD "$id"
  [ -z "$modules" ] || printf '%s\n' "$modules" | while IFS= read -r module; do
    path=${raw("${module#* }")}
    if [ -e "$from/$path/.git" ]; then
      own=$(git -C "$from/$path" rev-parse --absolute-git-dir)
      copy "$from/$path" "$own" "$to/$path" "${raw("${module%% *}")}"
    else echo "The submodule $path is not checked out here, so the build does not have it"
    fi
  done
)
copy "$top" "$repository" "$work/source" ${revision}`;
}

/** Inside a git hook, git's variables name the repository of the hook. Unsets them, but keeps settings in variables. */
const UNSET_REPOSITORY = sh`unset $(git rev-parse --local-env-vars | grep -v '^GIT_CONFIG_')`;

/** `git_in_clone`: git of the source repository, with work tree and index in the clone, without monitors and hooks. */
const GIT_IN_CLONE = sh`git_in_clone() {
  LANGUAGE=C GIT_INDEX_FILE="$work/index" git --git-dir="$own" --work-tree="$to" -c core.quotePath=false \
    -c core.hooksPath=/dev/null -c core.fsmonitor=false -c core.splitIndex=false -c core.sparseCheckout=false \
    -c submodule.recurse=false "$@"
}`;

/** git continues after a failed filter or conversion, and may continue after a file that it could not write. */
const WRITE_FILES = sh`write_files() {
  git_in_clone read-tree --reset -u "$id" 2>"$work/output" || { status=$?; cat "$work/output" >&2; exit "$status"; }
  cat "$work/output" >&2
  ! grep -q -e '^error: .*external filter' -e '^error: failed to encode' "$work/output" || exit 1
  missing=$(git_in_clone ls-files --deleted)
  [ -z "$missing" ] || { printf 'These files of the commit were not written:\n%s\n' "$missing" >&2; exit 1; }
}`;

/** Without git-lfs, large files remain pointers, as in any checkout. That is easy to overlook, so it is reported. */
const REPORT_MISSING_FILTERS = sh`report_missing_filters() {
  { git_in_clone -c grep.lineNumber=false -c grep.column=false grep --cached --no-color -hF -e 'filter=' -- ':(glob)**/.gitattributes' || :; } |
    sed -n '/^[[:space:]]*#/d; s/.*[[:space:]]filter=\([^[:space:]]*\).*/\1/p' | sort -u |
    while IFS= read -r filter; do
      git --git-dir="$own" config --get-regexp '^filter\..*\.(clean|smudge|process)$' | grep -qF "filter.$filter." ||
        echo "The attributes name the filter $filter, which git does not have here, so its files are built as they are stored"
    done
}`;

/**
 * Clones the history, for a Dockerfile that runs git. From a shallow partial clone it fetches only the commit: git cannot
 * clone it completely. upload-pack checks the owner of the repository again, although git already trusts it.
 */
const CLONE = sh`clone() (
  unset GIT_ALLOW_PROTOCOL
  [ -e "$from/.git" ] || from=$own
  serve="git -c safe.directory='*' -c uploadpack.allowAnySHA1InWant=true upload-pack"
  git_unrestricted() {
    git -c core.hooksPath=/dev/null -c protocol.file.allow=always -c clone.rejectShallow=false -c safe.directory='*' "$@"
  }
  if [ "$(git --git-dir="$own" rev-parse --is-shallow-repository)" = true ] &&
    git --git-dir="$own" config --get-regexp '^remote\..*\.promisor$' >"$work/output"; then
    git init --quiet --template= "$work/clone"
    cd "$work/clone" || exit
    git_unrestricted fetch --quiet --depth 1 --upload-pack "$serve" "$from" "$id"
  else git_unrestricted clone --quiet --no-checkout --dissociate --template= --upload-pack "$serve" "$from" "$work/clone"
  fi
)`;

/** Copies the settings that convert files on checkout: without them, git in the build would report the files as changed. */
const COPY_SETTINGS = sh`copy_settings() {
  for name in core.autocrlf core.eol core.symlinks; do
    if value=$(git --git-dir="$own" config "$name"); then git -C "$to" config "$name" "$value"; fi
  done
  attributes=$(git --git-dir="$own" rev-parse --git-common-dir)/info/attributes
  [ ! -f "$attributes" ] || { mkdir -p "$to/.git/info"; cp "$attributes" "$to/.git/info/attributes"; }
}`;
