# shellcheck shell=sh
# shellcheck disable=SC2154 # read_state sets $state, read_clock $now
# Whether requests reach a container through Traefik. A probe route is a router of the live file with a host name of its
# own; its responses carry the header X-Mrsk-Live with the revision of the file that Traefik has loaded.

# probe_route HOST URL SECONDS
# Prints status line and headers of the response, and follows no redirect. Lines may end with a carriage return. Uses the
# server's curl, or its wget, GNU's or BusyBox's. To be called as $(probe_route …), whose process curl takes over.
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
# Prints the URL where a Traefik that was just started answers probes: its published port, else its own address.
print_probe_base() (
  # shellcheck disable=SC2016 # Go's templates have $ signs of their own
  found=$(docker inspect --type container --format '{{with index .NetworkSettings.Ports "'"$PROBE_ENTRY_POINT"'/tcp"}}{{with index . 0}}{{.HostIp}}:{{.HostPort}}{{end}}{{end}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$TRAEFIK") || exit 1
  # shellcheck disable=SC2086 # one word an address
  set -- $found
  case $1 in
    *:*) echo "http://$1" ;;
    *) echo "http://${1:-127.0.0.1}:$PROBE_ENTRY_POINT" ;;
  esac
)

# print_refusals SINCE
# Prints the lines of Traefik's log that name a file it cannot read: one such file stops the changes of all.
print_refusals() {
  docker logs --since "$1" "$TRAEFIK" 2>&1 | grep -F 'collecting file configs' | tail -n 3
}

# end_not_loaded REFUSALS
# Prints that Traefik has not loaded the live file, and why, and ends the calling shell with NOT_LOADED.
end_not_loaded() {
  printf '%s\n' 'Traefik did not take the live file within 5 s: a bad file stops the changes of all' ${1:+"$1"} >&2
  exit "$NOT_LOADED"
}

# force_relist
# Makes Traefik list the containers again, by starting one that ends at once. Traefik lists them when it starts, and then
# waits for events: a container that starts in between is not seen until something else happens.
force_relist() {
  docker run --rm --network none "$(docker inspect --type container --format '{{.Config.Image}}' "$TRAEFIK" 2>/dev/null)" version >/dev/null 2>&1 || true
}

# explain_no_route CONTAINER RESPONSE [HINT...]
# Prints to standard error what keeps Traefik from routing to a container that runs: the hints from its configuration,
# docker's opinion of it, networks apart, and Traefik's log. Nothing for a response of the app itself.
explain_no_route() (
  exec >&2
  container=$1 response=$2
  shift 2
  case $response in *X-Mrsk-Live*) exit 0 ;; esac
  if [ "$#" -gt 0 ]; then printf '%s\n' "$@"; fi
  health=$(docker inspect --type container --format '{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$container" 2>/dev/null) || health=
  case $health in starting | unhealthy) echo "Docker calls it $health, and Traefik leaves such containers out" ;; esac
  # shellcheck disable=SC2016 # Go's templates have $ signs of their own
  names='{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}'
  its=$(docker inspect --type container --format "$names" "$container" 2>/dev/null) || its=
  of=$(docker inspect --type container --format "$names" "$TRAEFIK" 2>/dev/null) || of=
  common=
  case " $of" in *" host "*) common=yes ;; esac
  for network in $its; do
    case " $of host " in *" $network "*) common=yes ;; esac
  done
  if [ -z "$common" ]; then
    echo "It is on the network $its, Traefik on $of: they do not reach each other. Set network for both"
  fi
  docker logs --since 10m "$TRAEFIK" 2>&1 | grep -F "$container" | grep -E 'ERR|WRN|"level":"(error|warn)' | tail -n 3
)

# wait_route CONTAINER BASE HOST PATH REVISION SECONDS LINES [HINT...]
# Waits until the container answers 2xx with the revision through Traefik, twice in a row: the image needs nothing for
# that. Ends with NOT_HEALTHY, diagnostics and why Traefik may not route to it; with NOT_LOADED where Traefik refuses a
# file. Most apps are ready soon, and are probed more often for 5 s; docker takes as long as several probes.
wait_route() (
  container=$1 base=$2 host=$3 path=$4 revision=$5 seconds=$6 lines=$7
  shift 7
  good=0 probes=0 relisted=
  read_clock
  began=$now
  while :; do
    response=$(probe_route "$host" "$base$path" 10) || response=
    case $response in
      "HTTP/1."?" 2"[0-9][0-9]*"X-Mrsk-Live: $revision"*)
        good=$((good + 1))
        if [ "$good" = 2 ]; then exit 0; fi
        continue
        ;;
    esac
    good=0 probes=$((probes + 1))
    if [ $((probes % 4)) = 1 ]; then read_state "$container" '{{.State.Status}}' || exit 1; fi
    case $state in
      running | created) ;;
      *) end_unhealthy "$container" "$lines" "The container does not run: $state" ;;
    esac
    read_clock
    age=$((now - began)) pause=0.03
    case $response in
      "HTTP/1."?" 404"*)
        if [ -z "$relisted" ] && [ "$age" -ge 300 ]; then
          relisted=yes
          force_relist
        fi
        ;;
    esac
    if [ "$age" -ge 500 ]; then
      pause=0.1
      refusals=$(print_refusals "$((age / 100 + 2))s") || refusals=
      if [ -n "$refusals" ]; then end_not_loaded "$refusals"; fi
    fi
    if [ "$age" -ge $((seconds * 100)) ]; then
      printf 'No good answer at %s after %s s. The last one: %s\n' "$path" "$seconds" "$(printf '%s' "${response:-none}" | head -n 1)" >&2
      explain_no_route "$container" "$response" "$@"
      print_diagnostics "$container" "$lines"
      exit "$NOT_HEALTHY"
    fi
    pause_for "$pause"
  done
)

# wait_answer BASE HOST PATH REVISION SECONDS
# Waits until the container behind the probe route answers anything of its own with the revision, twice in a row: for a
# version that was live before, whose health path may be another one. Ends with NOT_HEALTHY after SECONDS.
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
# Waits until responses carry the revision: Traefik has then loaded the file that was written last. Ends with NOT_LOADED.
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
# The same behind a container that may crash meanwhile: then it ends with NOT_HEALTHY and diagnostics.
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
# Waits up to 5 s until Traefik has noticed that the container behind the probe route has stopped. Until then a request
# that it sends there hangs: the address is free, and Traefik gives up after half a minute.
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
