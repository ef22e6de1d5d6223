# shellcheck shell=sh
# Functions that run on servers. src/script/library.ts sends each function to a shell once, ahead of the first script that
# calls it, without comments and indentation: no text may depend on either.
#   - Every name has an underscore, so that it hides no program of the server: users' commands run in the same shell.
#   - A function with a body in parentheses runs in a subshell: its variables are local, and `exit` only ends the function.
#     A function with a body in braces sets only the variables that its comment names.
#   - A name in capitals (`$TRAEFIK`) is a constant of src/shell/constants.ts.
#   - No function relies on `set -e`, which is off inside a condition.

# pause_for SECONDS
# Sleeps for a fraction of a second, or for one second if `sleep` accepts no fractions.
pause_for() {
  sleep "$1" 2>/dev/null || sleep 1
}

# read_clock
# Sets $now to the server's uptime in hundredths of a second. Reading it starts no process, and setting the system time
# does not change it.
read_clock() {
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
}

# read_state CONTAINER FORMAT
# Sets $state to the output of `docker inspect`, or to `gone` if there is no such container. Fails if the engine does not
# answer, which is no fault of the container.
read_state() {
  state=$(docker inspect --type container --format "$2" "$1" 2>/dev/null) && return 0
  docker version >/dev/null || return 1
  # shellcheck disable=SC2034 # read by the caller
  state=gone
}

# wait_docker
# Waits up to 30 s until the engine answers. If it does not, fails with the error of `docker version`.
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
