# shellcheck shell=sh
# Functions that run on servers. A shell is sent each of them once, ahead of the first script that calls it
# (src/script/library.ts), without comments and indentation: no text may depend on either.
#   - Every name has an underscore: no program of a server has such a name, and users' commands run in the same shell.
#   - A body in parentheses has variables of its own, and `exit` leaves the function alone. A body in braces sets no
#     variable but those that its comment names.
#   - A word in capitals (`$TRAEFIK`) is a constant of src/shell/constants.ts.
#   - None relies on `set -e`, which is off inside a condition.

# pause_for SECONDS
# Sleeps for a fraction of a second, or for a whole one where sleep knows no fractions.
pause_for() {
  sleep "$1" 2>/dev/null || sleep 1
}

# read_clock
# Sets $now to hundredths of a second since the server started: that takes no process, and does not jump when the time
# is set.
read_clock() {
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
}

# read_state CONTAINER FORMAT
# Sets $state to what docker prints of the container, or to `gone` without such a container. Fails where the engine does
# not answer: that is no fault of the container.
read_state() {
  state=$(docker inspect --type container --format "$2" "$1" 2>/dev/null) && return 0
  docker version >/dev/null || return 1
  # shellcheck disable=SC2034 # read by the caller
  state=gone
}

# wait_docker
# Waits up to half a minute for an engine that starts. Prints the error of one that does not.
wait_docker() (
  tries=0
  until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 30 ]; then
      docker version
      exit 1
    fi
    sleep 1
  done
)
