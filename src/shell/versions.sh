# shellcheck shell=sh
# The list of versions that went live on a host: one line for each, newest last, its fields separated by tabs.

# record_version FILE LINE [LINES]
# Truncates the list to its last LINES if given, and appends LINE.
record_version() (
  [ -d "${1%/*}" ] || mkdir -p "${1%/*}" || exit 1
  if [ -n "${3:-}" ]; then tail -n "$3" "$1" >"$1.new" && mv -f "$1.new" "$1" || exit 1; fi
  printf '%s\n' "$2" >>"$1"
)

# forget_version FILE VERSION
# Removes the last line if it has this version, which did not stay live.
forget_version() (
  if [ "$(tail -n 1 "$1" | cut -f 3)" != "$2" ]; then exit 0; fi
  sed '$d' "$1" >"$1.new" && mv -f "$1.new" "$1"
)
