# shellcheck shell=sh
# shellcheck disable=SC2154 # read_clock sets $now
# Waits until a container's open requests have ended.

# drain_by_time SECONDS
# Waits for a fixed time if the connections cannot be observed, and prints why.
drain_by_time() {
  sleep "$1"
  echo "waited $1 s: observing its connections needs ss, and root or sudo without a password"
}

# count_busy RECENT
# Reads the output of `ss -ti` on standard input, and counts the busy connections: they received data after they last
# sent, or sent less than RECENT ms ago (measured on real Traefik). `ss` omits zero values: a connection that sent in
# this millisecond has no lastsnd.
count_busy() {
  awk -v recent="$1" '{ s = 0; r = 0; seen = 0; n = split($0, w, " ")
    for (i = 1; i <= n; i++) { if (w[i] ~ /^lastsnd:/) s = substr(w[i], 9) + 0; if (w[i] ~ /^lastrcv:/) r = substr(w[i], 9) + 0
      if (w[i] ~ /^(rtt|mss|cwnd|lastsnd|lastrcv):/) seen = 1 }
    if (seen && (r < s || s < recent)) busy++ } END { print busy + 0 }'
}

# drain_container CONTAINER LIMIT PAST RECENT ENTER PORT...
# Waits until two counts in a row find no busy connection at the PORTs and at the ports that the image exposes, LIMIT
# seconds at most. PAST of these seconds have already gone by without new requests. ENTER is the command that enters a
# network namespace (`sudo -n nsenter`). Prints a line if connections are still busy at the limit, or could not be
# observed. A container that does not run counts as drained.
drain_container() (
  limit=$2 past=$3 recent=$4 enter=$5 blind=10
  # shellcheck disable=SC2016 # Go templates contain $ signs
  found=$(docker inspect --type container --format '{{.State.Pid}}{{range $port, $_ := .Config.ExposedPorts}} {{$port}}{{end}}' "$1" 2>/dev/null) || exit 0
  shift 5
  # shellcheck disable=SC2086 # a process id, and a word for each port
  set -- $found "$@"
  pid=$1
  shift
  [ "$pid" -gt 0 ] 2>/dev/null || exit 0
  filter=
  for port in "$@"; do filter="${filter:+$filter or }sport = :${port%/*}"; done
  if [ "$limit" -lt "$blind" ]; then blind=$limit; fi
  left=$((limit - past)) blind=$((blind - past))
  if [ "$left" -lt 1 ]; then left=1; fi
  if [ "$blind" -lt 0 ]; then blind=0; fi
  read_clock
  end=$((now + left * 100)) quiet=0 busy=0 observed=
  while [ "$now" -lt "$end" ]; do
    # shellcheck disable=SC2086 # one word or three
    if found=$($enter --target "$pid" --net ss -tinH state established "( $filter )" 2>/dev/null); then
      observed=yes
      busy=$(printf '%s\n' "$found" | count_busy "$recent")
      if [ "$busy" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
      if [ "$quiet" = 2 ]; then exit 0; fi
      pause_for 0.1
    elif [ -z "$observed" ]; then
      drain_by_time "$blind"
      exit 0
    else
      busy=some quiet=0
      sleep 1
    fi
    read_clock
  done
  if [ "$busy" != 0 ]; then echo "still busy after $limit s: $busy connections will be closed"; fi
)
