# shellcheck shell=sh
# The list of versions that went live on a host: a line each, newest last, with tabs between its fields.

# record_version FILE LINE [LINES]
# Appends a line, after the list was cut to its last LINES.
record_version() (
  [ -d "${1%/*}" ] || mkdir -p "${1%/*}" || exit 1
  if [ -n "${3:-}" ]; then tail -n "$3" "$1" >"$1.new" && mv -f "$1.new" "$1" || exit 1; fi
  printf '%s\n' "$2" >>"$1"
)

# forget_version FILE VERSION
# Removes the version's line, where it is the last one: it did not stay live.
forget_version() (
  if [ "$(tail -n 1 "$1" | cut -f 3)" != "$2" ]; then exit 0; fi
  sed '$d' "$1" >"$1.new" && mv -f "$1.new" "$1"
)
