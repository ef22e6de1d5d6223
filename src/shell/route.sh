# shellcheck shell=sh
# shellcheck disable=SC2154 # read_state sets $state, read_clock $now
# Probes a container through Traefik. A probe route is a router in the live file for a random host name; its responses carry
# the revision of the file that Traefik has loaded, in the header X-Mrsk-Live.

# probe_route HOST URL SECONDS
# Sends a request, and prints the status line and headers of the response. Lines may end with a carriage return. Follows no
# redirect. Uses curl, GNU wget or BusyBox wget. Call it as $(probe_route …): curl replaces the process of that subshell.
probe_route() {
  if command -v curl >/dev/null 2>&1; then
    exec curl -s -m "$3" -o /dev/null -D - -H "Host: $1" "$2"
  elif wget --version >/dev/null 2>&1; then
    wget -q -S -O /dev/null -t 1 --max-redirect=0 -T "$3" --header "Host: $1" "$2" 2>&1 | sed 's/^ *//'
  else
    wget -q -S -O /dev/null -T "$3" --header "Host: $1" "$2" 2>&1 | sed 's/^ *//'
  fi
}

# print_probe_base
# Prints the URL of the probe entry point of a Traefik that has just started: its published port, or else its own address.
print_probe_base() (
  # shellcheck disable=SC2016 # Go templates contain $ signs
  found=$(docker inspect --type container --format '{{with index .NetworkSettings.Ports "'"$PROBE_ENTRY_POINT"'/tcp"}}{{with index . 0}}{{.HostIp}}:{{.HostPort}}{{end}}{{end}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$TRAEFIK") || exit 1
  # shellcheck disable=SC2086 # one word an address
  set -- $found
  case $1 in
    *:*) echo "http://$1" ;;
    *) echo "http://${1:-127.0.0.1}:$PROBE_ENTRY_POINT" ;;
  esac
)

# print_refusals SINCE
# Prints the lines of Traefik's log about live files that it cannot read: one such file blocks the changes of all files.
print_refusals() {
  docker logs --since "$1" "$TRAEFIK" 2>&1 | grep -F 'collecting file configs' | tail -n 3
}

# end_not_loaded REFUSALS
# Prints that Traefik has not loaded the live file, and why, and exits the calling shell with NOT_LOADED.
end_not_loaded() {
  printf '%s\n' 'Traefik did not load the live file within 5 s: one invalid file blocks the changes of all' ${1:+"$1"} >&2
  exit "$NOT_LOADED"
}

# force_relist
# Makes Traefik list the containers again, by starting a container that exits immediately. Traefik lists containers when it
# starts, and then waits for docker events: it misses a container that starts in between, until the next event.
force_relist() {
  docker run --rm --network none "$(docker inspect --type container --format '{{.Config.Image}}' "$TRAEFIK" 2>/dev/null)" version >/dev/null 2>&1 || true
}

# explain_no_route CONTAINER RESPONSE [HINT...]
# Prints to standard error why Traefik may not route to a running container: the HINTs, the container's health, missing
# common networks, and Traefik's log. Prints nothing if the response came from the app.
explain_no_route() (
  exec >&2
  container=$1 response=$2
  shift 2
  case $response in *X-Mrsk-Live*) exit 0 ;; esac
  if [ "$#" -gt 0 ]; then printf '%s\n' "$@"; fi
  health=$(docker inspect --type container --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$container" 2>/dev/null) || health=
  case $health in starting | unhealthy) echo "Docker reports it $health, and Traefik ignores such containers" ;; esac
  # shellcheck disable=SC2016 # Go templates contain $ signs
  names='{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'
  its=$(docker inspect --type container --format "$names" "$container" 2>/dev/null) || its=
  of=$(docker inspect --type container --format "$names" "$TRAEFIK" 2>/dev/null) || of=
  common=
  case " $of" in *" host "*) common=yes ;; esac
  for network in $its; do
    case " $of host " in *" $network "*) common=yes ;; esac
  done
  if [ -z "$common" ]; then
    echo "It is on the network $its, Traefik on $of: they cannot reach each other. Set network for both"
  fi
  docker logs --since 10m "$TRAEFIK" 2>&1 | grep -F "$container" | grep -E 'ERR|WRN|"level":"(error|warn)' | tail -n 3
)

# wait_route CONTAINER BASE HOST PATH REVISION TIMEOUT INTERVAL SECONDS LINES [HINT...]
# Waits up to SECONDS until the container answers twice in a row through Traefik with a 2xx and the revision. The image needs
# no curl for that. Exits with NOT_HEALTHY, diagnostics and the reasons why Traefik may not route to it; with NOT_LOADED if
# Traefik refuses a live file. TIMEOUT is the limit of one probe. After a bad answer of the app, the next probe follows
# INTERVAL seconds later, 0 as soon as possible. Most apps are ready soon, so the first 5 s have more probes. `docker
# inspect` takes as long as several probes, so it runs after every fourth, or after a probe that the app answered.
wait_route() (
  container=$1 base=$2 host=$3 path=$4 revision=$5 timeout=$6 interval=$7 seconds=$8 lines=$9
  shift 9
  good=0 probes=0 relisted=
  read_clock
  began=$now
  while :; do
    response=$(probe_route "$host" "$base$path" "$timeout") || response=
    case $response in
      "HTTP/1."?" 2"[0-9][0-9]*"X-Mrsk-Live: $revision"*)
        good=$((good + 1))
        if [ "$good" = 2 ]; then exit 0; fi
        continue
        ;;
    esac
    good=0 probes=$((probes + 1))
    read_clock
    left=$((seconds * 100 - now + began)) pause=0.03
    if [ $((now - began)) -ge 500 ]; then
      pause=0.1
      refusals=$(print_refusals "$(((now - began) / 100 + 2))s") || refusals=
      if [ -n "$refusals" ]; then end_not_loaded "$refusals"; fi
    fi
    case $response in
      "HTTP/1."?" 404"*)
        if [ -z "$relisted" ] && [ $((now - began)) -ge 300 ]; then
          relisted=yes
          force_relist
        fi
        ;;
      "HTTP/1."?" 50"[234]*) ;;
      *"X-Mrsk-Live: $revision"*) if [ "$interval" != 0 ]; then probes=1 pause=$((interval * 100 < left ? interval : (left + 99) / 100)); fi ;;
    esac
    if [ $((probes % 4)) = 1 ]; then read_state "$container" '{{.State.Status}}' || exit 1; fi
    case $state in
      running | created) ;;
      *) end_unhealthy "$container" "$lines" "The container does not run: $state" ;;
    esac
    if [ "$left" -le 0 ]; then
      printf 'No good answer at %s after %s s. The last one: %s\n' "$path" "$seconds" "$(printf '%s' "${response:-none}" | head -n 1)" >&2
      explain_no_route "$container" "$response" "$@"
      print_diagnostics "$container" "$lines"
      exit "$NOT_HEALTHY"
    fi
    pause_for "$pause"
  done
)

# wait_answer BASE HOST PATH REVISION SECONDS
# Waits until the app behind the probe route answers twice in a row with the revision, with any status: a version that was
# live before may have another health check path. Exits with NOT_HEALTHY after SECONDS.
wait_answer() (
  good=0
  end=$(($(date +%s) + $5))
  while :; do
    response=$(probe_route "$2" "$1$3" 10) || response=
    case $response in
      "HTTP/1."?" 50"[234]*) good=0 ;;
      *"X-Mrsk-Live: $4"*)
        good=$((good + 1))
        if [ "$good" = 2 ]; then exit 0; fi
        continue
        ;;
      *) good=0 ;;
    esac
    if [ "$(date +%s)" -ge "$end" ]; then
      echo 'No answer through Traefik' >&2
      exit "$NOT_HEALTHY"
    fi
    pause_for 0.1
  done
)

# wait_revision BASE HOST PATH REVISION
# Waits until the responses carry the revision: then Traefik has loaded the live file. Exits with NOT_LOADED.
wait_revision() (
  tries=0
  while :; do
    response=$(probe_route "$2" "$1$3" 5) || response=
    case $response in *"X-Mrsk-Live: $4" | *"X-Mrsk-Live: $4"[!0-9]*) exit 0 ;; esac
    tries=$((tries + 1))
    if [ "$tries" -ge 130 ]; then end_not_loaded "$(print_refusals 30s)"; fi
    pause_for 0.03
  done
)

# wait_canary_revision CONTAINER LINES BASE HOST PATH REVISION
# As wait_revision, for a container that may crash during the wait: then exits with NOT_HEALTHY and diagnostics.
wait_canary_revision() (
  container=$1 lines=$2
  shift 2
  wait_revision "$@" && exit 0
  status=$?
  read_state "$container" '{{.State.Status}}' || exit 1
  if [ "$state" = running ]; then exit "$status"; fi
  end_unhealthy "$container" "$lines" "The container does not run: $state"
)

# wait_route_gone BASE HOST PATH
# Waits up to 5 s until Traefik no longer routes to the stopped container behind the probe route. Until then Traefik sends
# requests to an address that no longer exists, and gives up after 30 s.
wait_route_gone() (
  read_clock
  end=$((now + 500))
  while [ "$now" -lt "$end" ]; do
    response=$(probe_route "$2" "$1$3" 1) || response=
    case $response in "HTTP/1."?" 404"* | "HTTP/1."?" 503"*) exit 0 ;; esac
    pause_for 0.1
    read_clock
  done
)
