# shellcheck shell=sh
# shellcheck disable=SC2154 # read_clock sets $now
# The end of the requests that are under way in a container.

# drain_by_time SECONDS
# Waits, where connections cannot be seen, and prints that.
drain_by_time() {
  sleep "$1"
  echo "waited $1 s without looking: its connections are seen by root, or with sudo that asks for no password, and with ss"
}

# count_busy RECENT
# Counts the busy connections in what `ss -ti` prints on standard input: those that received something after they last
# sent, or sent less than RECENT ms ago (measured on real Traefik). `ss` leaves out what is 0: a connection that sent
# this very millisecond has no lastsnd.
count_busy() {
  awk -v recent="$1" '{ s = 0; r = 0; seen = 0; n = split($0, w, " ")
    for (i = 1; i <= n; i++) { if (w[i] ~ /^lastsnd:/) s = substr(w[i], 9) + 0; if (w[i] ~ /^lastrcv:/) r = substr(w[i], 9) + 0
      if (w[i] ~ /^(rtt|mss|cwnd|lastsnd|lastrcv):/) seen = 1 }
    if (seen && (r < s || s < recent)) busy++ } END { print busy + 0 }'
}

# drain_container CONTAINER LIMIT PAST RECENT ENTER PORT...
# Waits until nothing is under way at the ports, and those that the image exposes: until two counts in a row are 0, and
# LIMIT seconds at most. PAST of them have gone by without new requests. ENTER is the command that enters a network
# namespace (`sudo -n nsenter`). Prints what was not as it should be. A container that does not run is drained.
drain_container() (
  limit=$2 past=$3 recent=$4 enter=$5 blind=10
  # shellcheck disable=SC2016 # Go's templates have $ signs of their own
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
  end=$((now + left * 100)) quiet=0 busy=0 seen_once=
  while [ "$now" -lt "$end" ]; do
    # shellcheck disable=SC2086 # one word or three
    if seen=$($enter --target "$pid" --net ss -tinH state established "( $filter )" 2>/dev/null); then
      seen_once=yes
      busy=$(printf '%s\n' "$seen" | count_busy "$recent")
      if [ "$busy" = 0 ]; then quiet=$((quiet + 1)); else quiet=0; fi
      if [ "$quiet" = 2 ]; then exit 0; fi
      pause_for 0.1
    elif [ -z "$seen_once" ]; then
      drain_by_time "$blind"
      exit 0
    else
      busy=some quiet=0
      sleep 1
    fi
    read_clock
  done
  if [ "$busy" != 0 ]; then echo "still busy after $limit s: $busy connections end with it"; fi
)
