# shellcheck shell=sh
# shellcheck disable=SC2154 # read_state sets $state, read_clock $now
# Checks a container's state and health through docker.

# print_diagnostics CONTAINER LINES
# Prints the container's state, the results of its health check and its last LINES log lines to standard error.
print_diagnostics() (
  exec >&2
  docker inspect --type container --format 'State: {{.State.Status}}, exit code {{.State.ExitCode}}, OOM killed: {{.State.OOMKilled}} {{.State.Error}}' "$1" || true
  checks=$(docker inspect --type container --format '{{if .State.Health}}{{range .State.Health.Log}}{{.End}} exit {{.ExitCode}}: {{.Output}}{{end}}{{end}}' "$1" 2>/dev/null | tail -n 5)
  if [ -n "$checks" ]; then printf 'Health check:\n%s\n' "$checks"; fi
  echo 'Last lines of its log:'
  docker logs --tail "$2" "$1" 2>&1 || true
)

# end_unhealthy CONTAINER LINES MESSAGE
# Prints the message and the diagnostics to standard error, and exits the calling shell with NOT_HEALTHY.
end_unhealthy() {
  printf '%s\n' "$3" >&2
  print_diagnostics "$1" "$2"
  exit "$NOT_HEALTHY"
}

# check_cannot_run CONTAINER
# Succeeds if docker could not run its last three checks at all, which proves nothing about the app. Their exit status is
# the shell's (126, 127), or -1 if docker could not start the shell. `curl … || exit 1` hides the 127.
check_cannot_run() {
  [ "$(docker inspect --type container --format '{{if .State.Health}}{{range .State.Health.Log}}{{println .ExitCode (json .Output)}}{{end}}{{end}}' "$1" 2>/dev/null |
    grep . | tail -n 3 | grep -cE '^12[67] |^-1 .*(executable file not found|no such file or directory|permission denied)|curl: (command )?not found')" = 3 ]
}

# wait_healthy CONTAINER SECONDS STEADY LINES
# Waits until docker reports the container healthy or, without a health check, until it has run for STEADY seconds. Prints
# the state. Exits with NOT_HEALTHY and diagnostics when the container stops, or after SECONDS. A health check that cannot
# run fails the wait only after 5 s: the container may still be installing its command.
wait_healthy() (
  container=$1 seconds=$2 steady=$3 lines=$4
  since=$(date +%s)
  while :; do
    read_state "$container" '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' || exit 1
    age=$(($(date +%s) - since))
    case $state in
      "running healthy") break ;;
      "running ") if [ "$age" -ge "$steady" ]; then break; fi ;;
      "running "*)
        if [ "$age" -ge 5 ] && check_cannot_run "$container"; then
          end_unhealthy "$container" "$lines" 'Docker cannot run the health check in this image: set healthcheck.cmd to a command that it has'
        fi
        ;;
      "created "*) ;;
      *) end_unhealthy "$container" "$lines" "The container does not run: $state" ;;
    esac
    if [ "$age" -ge "$seconds" ] && [ "$state" != "running " ]; then
      end_unhealthy "$container" "$lines" "Not healthy after $seconds s: $state"
    fi
    pause_for 0.2
  done
  echo "$state"
)

# wait_target CONTAINER PORT PATH SECONDS INTERVAL LIMIT LINES
# Waits until the container answers with a 2xx at its own address, and docker reports it healthy if its image has a health
# check: Traefik ignores it before. Each request takes LIMIT seconds at most, and the next one follows after INTERVAL. Exits
# with NOT_HEALTHY and diagnostics when the container has exited, or after SECONDS.
wait_target() (
  container=$1 port=$2 path=$3 seconds=$4 interval=$5 limit=$6 lines=$7
  since=$(date +%s)
  while :; do
    read_state "$container" '{{.State.Status}}/{{if .State.Health}}{{.State.Health.Status}}{{end}}/{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' || exit 1
    address=${state##*/} response=
    address=${address%% *}
    case $state in
      running/*)
        if [ -n "$address" ]; then response=$(probe_route "localhost:$port" "http://$address:$port$path" "$limit") || response=; fi
        ;;
      created/* | restarting/*) ;;
      *) end_unhealthy "$container" "$lines" "The container does not run: ${state%%/*}" ;;
    esac
    case $state/$response in
      running//*"/HTTP/1."?" 2"[0-9][0-9]* | running/healthy/*"/HTTP/1."?" 2"[0-9][0-9]*) exit 0 ;;
    esac
    if [ $(($(date +%s) - since)) -ge "$seconds" ]; then
      end_unhealthy "$container" "$lines" "No good answer at port $port, $path, after $seconds s. The last one: $(printf '%s' "${response:-none}" | head -n 1)"
    fi
    pause_for "$interval"
  done
)

# watch_containers SECONDS [CONTAINER RESTARTS LINES]...
# For SECONDS, no container may exit, run out of memory, turn unhealthy or restart. RESTARTS is its restart count before;
# `now` reads the current one. Exits with NOT_HEALTHY and the diagnostics of the first container that fails.
watch_containers() (
  read_clock
  end=$((now + $1 * 100))
  shift
  left=$#
  while [ "$left" -gt 0 ]; do
    restarts=$2
    if [ "$restarts" = now ]; then
      restarts=$(docker inspect --type container --format '{{.RestartCount}}' "$1" 2>/dev/null) || restarts=
    fi
    set -- "$@" "$1" "$restarts" "$3"
    shift 3
    left=$((left - 3))
  done
  while :; do
    left=$#
    while [ "$left" -gt 0 ]; do
      inspect_watched "$1" "$2" "$3"
      set -- "$@" "$1" "$2" "$3"
      shift 3
      left=$((left - 3))
    done
    read_clock
    if [ "$now" -ge "$end" ]; then exit 0; fi
    pause_for 0.3
  done
)

# inspect_watched CONTAINER RESTARTS LINES
# Sets $state. Exits the calling shell with NOT_HEALTHY and diagnostics if the container has failed.
inspect_watched() {
  read_state "$1" '{{.State.Status}} {{.RestartCount}} {{.State.OOMKilled}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' || exit 1
  case $state in
    "running $2 false unhealthy") end_unhealthy "$1" "$3" "The new container $1 turned unhealthy" ;;
    "running $2 false "*) ;;
    *) end_unhealthy "$1" "$3" "The new container $1 did not stay up: $state" ;;
  esac
}
