# shellcheck shell=sh
# shellcheck disable=SC2154 # find_writer sets $writer, find_nearest $nearest
# Live files: what Traefik's file provider reads.

# find_nearest PATH
# Sets $nearest to the path, or the nearest one above it that exists. `dirname` would be a process each time.
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
# Sets $writer to who may write there: `me`, or `other` where another login user made it. Sets $nearest.
find_writer() {
  find_nearest "$1"
  if [ -w "$nearest" ]; then writer=me; else writer=other; fi
}

# as_writer COMMAND...
# Runs the command as who $writer says: with sudo where that is another.
as_writer() {
  if [ "$writer" = me ]; then "$@"; else sudo -n "$@"; fi
}

# write_live_file DIRECTORY NAME TEXT
# Writes NAME.yml as a whole: next to the directory first, then moved in, so that Traefik never reads half of one. Where
# the shell cannot write, `tee` tries and prints why: to dash a full disk is an "I/O error".
write_live_file() (
  find_writer "$1"
  [ -d "$1" ] || as_writer mkdir -p "$1"
  if as_writer test -w "$1/.."; then new=$1/../.$2.new; else new=$1/.$2.new; fi
  umask 022
  if [ "$writer" != me ] || ! printf '%s' "$3" 2>/dev/null >"$new"; then
    if ! { printf '%s' "$3" | as_writer tee "$new" >/dev/null && as_writer chmod 644 "$new"; }; then
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
# Makes the directory of live files before docker makes it as root. Who may use docker is as good as root on a host, so
# the group docker may write there: services that other users deploy share the Traefik that reads it.
make_live_directory() {
  if [ -d "$1" ]; then return 0; fi
  mkdir -p "$1" || return 1
  if chgrp docker "$1" 2>/dev/null; then chmod 2775 "$1"; fi
  case $1 in
    "$SHARED_DIRECTORY"/*) if chgrp docker "$SHARED_DIRECTORY" 2>/dev/null; then chmod 750 "$SHARED_DIRECTORY"; fi ;;
  esac
}

# prepare_live_directory DIRECTORY TEXT
# Makes the directory, and in it unavailable.yml with TEXT. A user who may not write there goes without that file.
prepare_live_directory() {
  make_live_directory "$1" || return 1
  [ -f "$1/unavailable.yml" ] || write_live_file "$1" unavailable "$2" || true
}
