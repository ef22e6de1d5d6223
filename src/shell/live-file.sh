# shellcheck shell=sh
# shellcheck disable=SC2154 # find_writer sets $writer, find_nearest $nearest
# Live files, which Traefik's file provider reads.

# find_nearest PATH
# Sets $nearest to the path or, if it does not exist, to its nearest existing parent. `dirname` would start a process for
# each level.
find_nearest() {
  nearest=$1
  while [ ! -e "$nearest" ]; do
    case $nearest in
      /*/* | [!/]*/*) nearest=${nearest%/*} ;;
      /*) nearest=/ ;;
      *) nearest=. ;;
    esac
  done
}

# find_writer DIRECTORY
# Sets $writer to `me` if the login user can write to the directory, or to `other` if another user created it. Sets
# $nearest.
find_writer() {
  find_nearest "$1"
  if [ -w "$nearest" ]; then writer=me; else writer=other; fi
}

# as_writer COMMAND...
# Runs the command, with sudo if $writer is `other`.
as_writer() {
  if [ "$writer" = me ]; then "$@"; else sudo -n "$@"; fi
}

# write_live_file DIRECTORY NAME TEXT [private]
# Writes NAME.yml atomically: to a file outside the directory first, then moves it in, so that Traefik never reads half a
# file. If the shell cannot write, `tee` tries again and prints the reason: dash reports a full disk as "I/O error". A
# private file is readable for its owner and root alone.
write_live_file() (
  find_writer "$1"
  [ -d "$1" ] || as_writer mkdir -p "$1"
  if as_writer test -w "$1/.."; then new=$1/../.$2.new; else new=$1/.$2.new; fi
  mode=644
  umask 022
  if [ "${4-}" = private ]; then mode=600; umask 077; as_writer rm -f "$new"; fi
  if [ "$writer" != me ] || ! printf '%s' "$3" 2>/dev/null >"$new"; then
    if ! { as_writer touch "$new" && as_writer chmod "$mode" "$new" && printf '%s' "$3" | as_writer tee "$new" >/dev/null; }; then
      as_writer rm -f "$new"
      exit 1
    fi
  fi
  as_writer mv -f "$new" "$1/$2.yml"
)

# remove_live_file DIRECTORY NAME
remove_live_file() (
  find_writer "$1"
  as_writer rm -f "$1/$2.yml"
)

# make_live_directory DIRECTORY
# Creates the directory of live files before docker creates it as root. The group docker may write to it: its members
# are equivalent to root, and services that other users deploy share the Traefik that reads it.
make_live_directory() {
  if [ -d "$1" ]; then return 0; fi
  mkdir -p "$1" || return 1
  if chgrp docker "$1" 2>/dev/null; then chmod 2775 "$1"; fi
  case $1 in
    "$SHARED_DIRECTORY"/*) if chgrp docker "$SHARED_DIRECTORY" 2>/dev/null; then chmod 750 "$SHARED_DIRECTORY"; fi ;;
  esac
}

# prepare_live_directory DIRECTORY TEXT
# Creates the directory, and in it unavailable.yml with TEXT. If the login user cannot write there, skips the file.
prepare_live_directory() {
  make_live_directory "$1" || return 1
  [ -f "$1/unavailable.yml" ] || write_live_file "$1" unavailable "$2" || true
}
