# shellcheck shell=sh
# shellcheck disable=SC2030,SC2031 # each function has its own variables
# shellcheck disable=SC2154 # read_clock sets $now
# Replaces Traefik's container without refusing a connection. FILTER is the prefix of `iptables` (empty for root, or
# `sudo -n`): the packet filter redirects new connections to a second Traefik during the replacement. If FILTER is `none`,
# Traefik's ports are closed for about half a second.
# ANSWERS is the output of print_answers: a line `scheme host path port status` for each request that the old Traefik
# answered.

# container_state CONTAINER
# Prints the state (`running`, `exited`, …), or `gone`.
container_state() {
  docker inspect --type container --format '{{.State.Status}}' "$1" 2>/dev/null || echo gone
}

# container_addresses CONTAINER
# Prints the address and prefix length on each network of the container.
container_addresses() {
  docker inspect --type container --format '{{if eq .HostConfig.NetworkMode "host"}}127.0.0.1 32{{else}}{{range .NetworkSettings.Networks}}{{if .IPAddress}}{{.IPAddress}} {{.IPPrefixLen}} {{end}}{{end}}{{end}}' "$1"
}

# first_address CONTAINER
first_address() {
  container_addresses "$1" | cut -d ' ' -f 1
}

# port_bindings CONTAINER
# Prints a line for each published port: port in the container, protocol, host address, host port.
port_bindings() {
  # shellcheck disable=SC2016 # Go templates contain $ signs
  docker inspect --type container --format '{{range $inner, $list := .HostConfig.PortBindings}}{{range $list}}{{$inner}}/{{if .HostIp}}{{.HostIp}}{{else}}0.0.0.0{{end}}/{{.HostPort}}{{println}}{{end}}{{end}}' "$1" | tr / ' '
}

# print_tls_port PORT [ADDRESS:]...
# Prints the flags that publish the port for TLS, at all addresses or at these, unless something else than Traefik listens
# on it.
print_tls_port() (
  port=$1
  shift
  case $(port_bindings "$TRAEFIK" 2>/dev/null) in
    *" $port") ;;
    *" $port
"*) ;;
    *)
      if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v port=":$(printf '%04X' "$port")" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }'; then
        exit 0
      fi
      ;;
  esac
  if [ "$#" = 0 ]; then set -- ''; fi
  for address; do printf -- ' --publish %s' "$address$port:443"; done
)

# tcp_ports CONTAINER
# Prints the container ports of the published TCP ports, except that of the probe entry point.
tcp_ports() {
  port_bindings "$1" | awk '$2 == "tcp" && $1 != '"$PROBE_ENTRY_POINT"' { print $1 }' | sort -u
}

# kept_bindings
# Prints the port bindings that Traefik and the next container share.
kept_bindings() (
  kept=" $(port_bindings "$NEXT" | awk '{ printf "%s/%s ", $1, $2 }')"
  port_bindings "$TRAEFIK" | while read -r inner kind at outer; do
    case $kept in *" $inner/$kind "*) printf '%s %s %s %s\n' "$inner" "$kind" "$at" "$outer" ;; esac
  done
)

# count_connections CONTAINER
# Prints the number of open connections to the container's published ports.
count_connections() (
  ports=$(tcp_ports "$1" | awk '{ printf " %04X ", $1 }')
  pid=$(docker inspect --type container --format '{{.State.Pid}}' "$1") || pid=
  cat "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6" 2>/dev/null |
    awk -v ports="$ports" '$4 == "01" { split($2, at, ":"); if (index(ports, " " at[2] " ")) open++ } END { print open + 0 }'
)

# wait_idle CONTAINER SECONDS
# Waits until the container has no open connection, SECONDS at most.
wait_idle() (
  end=$(($(date +%s) + $2))
  while [ "$(date +%s)" -lt "$end" ] && [ "$(count_connections "$1")" -gt 0 ]; do pause_for 0.1; done
)

# request_status ADDRESS PORT SCHEME HOST PATH
# Sends a request to the Traefik at ADDRESS, and prints the status of the response.
request_status() {
  curl -sk --noproxy '*' -m 5 -o /dev/null -w '%{http_code}' --connect-to "::$1:$2" "$3://$4$5"
}

# print_answers CONTAINER REQUESTS
# Sends each request (a line `host path`) to the Traefik in CONTAINER, and prints the ANSWERS that came from an app.
print_answers() (
  if [ "$(container_state "$1")" != running ]; then exit 0; fi
  address=$(first_address "$1")
  tcp_ports "$1" | while read -r inner; do
    for scheme in http https; do
      printf '%s\n' "$2" | while read -r host path; do
        if [ -z "$host" ]; then continue; fi
        status=$(request_status "$address" "$inner" "$scheme" "$host" "$path") || continue
        case $status in
          404 | 5??) ;;
          *) printf '%s %s %s %s %s\n' "$scheme" "$host" "$path" "$inner" "$status" ;;
        esac
      done
    done
  done
)

# compare_answers CONTAINER ADDRESS ANSWERS
# Succeeds if the Traefik in CONTAINER gives the old ANSWERS at the ports that both publish; otherwise prints a difference.
compare_answers() (
  printf '%s\n' "$3" | while read -r scheme host path inner before; do
    if [ -z "$scheme" ] || ! port_bindings "$1" | grep -q "^$inner tcp "; then continue; fi
    status=$(request_status "$2" "$inner" "$scheme" "$host" "$path") || status=000
    if [ "$status" = "$before" ]; then continue; fi
    case $status in
      000 | 404 | 502 | 503 | 504)
        echo "$scheme://$host$path answers $status instead of $before"
        exit 1
        ;;
    esac
  done
)

# accepts_connections CONTAINER ADDRESS
# Succeeds if the first published port is open, or none is published.
accepts_connections() (
  port=$(tcp_ports "$1" | head -n 1)
  if [ -z "$port" ]; then exit 0; fi
  curl -s --noproxy '*' -m 5 -o /dev/null "http://$2:$port" && exit 0
  [ "$?" != 7 ]
)

# wait_traefik CONTAINER ANSWERS
# Waits up to 20 s until the Traefik in CONTAINER gives the old ANSWERS. Otherwise prints the reason, and fails.
wait_traefik() (
  end=$(($(date +%s) + 20)) wrong='The new Traefik does not answer'
  while [ "$(date +%s)" -lt "$end" ]; do
    if [ "$(container_state "$1")" != running ]; then
      wrong='The new Traefik does not start'
      break
    fi
    address=$(first_address "$1")
    if [ -n "$address" ] && { [ -n "$2" ] || accepts_connections "$1" "$address"; }; then
      wrong=$(compare_answers "$1" "$address" "$2") && exit 0
    fi
    pause_for 0.1
  done
  printf '%s\n' "$wrong"
  docker logs --tail 20 "$1" 2>&1
  exit 1
)

# refuse_other_run
# Exits with BEING_REPLACED if another run has created the next container.
refuse_other_run() {
  docker inspect --type container "$NEXT" >/dev/null 2>&1 || return 0
  echo 'Another run is replacing Traefik' >&2
  exit "$BEING_REPLACED"
}

# print_second_ports
# Prints the flags that publish the next container's ports at free ports of 127.0.0.1.
print_second_ports() {
  # shellcheck disable=SC2016 # Go templates contain $ signs
  docker inspect --type container --format '{{range $inner, $list := .HostConfig.PortBindings}}{{if $list}} --publish 127.0.0.1::{{$inner}}{{end}}{{end}}' "$NEXT"
}

# start_second CONTAINER ANSWERS
# Starts the second Traefik, and waits until it gives the old ANSWERS. Exits with NOT_REPLACED if it does not.
start_second() (
  docker start "$1" >/dev/null || exit 1
  output=$(wait_traefik "$1" "$2") && exit 0
  printf '%s\n' "$output" >&2
  exit "$NOT_REPLACED"
)

# nat_table FILTER ARGUMENT...
nat_table() (
  filter=$1
  shift
  PATH=$PATH:/usr/sbin:/sbin
  # shellcheck disable=SC2086 # two words or none
  $filter iptables -w 5 -t nat "$@"
)

# redirect_connections FILTER
# Adds packet filter rules that redirect new connections to the second Traefik.
redirect_connections() (
  filter=$1
  # shellcheck disable=SC2046 # a word each
  set -- $(container_addresses "$SECOND")
  ip=$1 prefix=$2
  kept_bindings | while read -r inner kind at outer; do
    case $at in 127.* | *:*) continue ;; esac
    if [ -z "$outer" ]; then continue; fi
    if [ "$at" = 0.0.0.0 ]; then set -- ! -d 127.0.0.0/8; else set -- -d "$at"; fi
    nat_table "$filter" -I POSTROUTING -s "$ip/$prefix" -d "$ip" -p "$kind" --dport "$inner" -m conntrack --ctstate DNAT -m comment --comment "$COMMENT" -j MASQUERADE &&
      nat_table "$filter" -I OUTPUT "$@" -p "$kind" --dport "$outer" -m addrtype --dst-type LOCAL -m comment --comment "$COMMENT" -j DNAT --to-destination "$ip:$inner" &&
      nat_table "$filter" -I PREROUTING "$@" -p "$kind" --dport "$outer" -m addrtype --dst-type LOCAL -m comment --comment "$COMMENT" -j DNAT --to-destination "$ip:$inner" || exit 1
  done
)

# remove_redirects FILTER
remove_redirects() (
  for chain in PREROUTING OUTPUT POSTROUTING; do
    nat_table "$1" -S "$chain" | grep -e "--comment $COMMENT" | sed 's/^-A/-D/' | while read -r rule; do
      set -f
      # shellcheck disable=SC2086 # a word each
      nat_table "$1" $rule
    done
  done
)

# keep_old_alive
# Sets $policy_before. Sets the old Traefik's restart policy to `always`: if the server reboots during the replacement,
# docker starts the old Traefik although it was stopped.
keep_old_alive() {
  policy_before=$(docker inspect --type container --format '{{.HostConfig.RestartPolicy.Name}}' "$TRAEFIK")
  docker update --restart always "$TRAEFIK" >/dev/null
}

# start_next POLICY ANSWERS POLICY_BEFORE
# Starts the next container under Traefik's name. If it does not give the old ANSWERS, starts the old container again with
# its policy, and exits with NOT_REPLACED.
start_next() (
  docker rename "$TRAEFIK" "$OLD" 2>/dev/null
  docker rename "$NEXT" "$TRAEFIK"
  echo 'Start the new Traefik'
  if output=$(docker start "$TRAEFIK" 2>&1) && output=$(wait_traefik "$TRAEFIK" "$2"); then
    docker update --restart "$1" "$TRAEFIK" >/dev/null
    exit 0
  fi
  printf '%s\n' "$output"
  echo 'Start the old Traefik again'
  docker rm -f "$TRAEFIK" >/dev/null
  if docker rename "$OLD" "$TRAEFIK" 2>/dev/null; then
    docker start "$TRAEFIK" >/dev/null
    wait_traefik "$TRAEFIK" "$2" >/dev/null
    docker update --restart "$3" "$TRAEFIK" >/dev/null
  fi
  exit "$NOT_REPLACED"
)

# replace_with_second POLICY FILTER KEEP_ALIVE SECOND_KEEP_ALIVE ANSWERS
# The replacement with a second Traefik: no Traefik stops before its successor serves. KEEP_ALIVE and SECOND_KEEP_ALIVE are
# the seconds after which the old and the second Traefik have closed every keep-alive connection; KEEP_ALIVE may be
# `never`. `docker stop -t 60` leaves time for Traefik's own grace period (`transport.lifeCycle.graceTimeOut`, 10 s by
# default).
replace_with_second() (
  policy=$1 filter=$2 keep_alive=$3 second_keep_alive=$4 answers=$5 status=0 policy_before=
  echo 'Redirect new connections to the second Traefik'
  if ! redirect_connections "$filter"; then
    remove_redirects "$filter"
    docker rm -f "$SECOND" "$NEXT" >/dev/null
    echo 'The packet filter refused the rules'
    exit "$NOT_REPLACED"
  fi
  echo 'Drain the old Traefik'
  if [ "$keep_alive" != never ]; then wait_idle "$TRAEFIK" "$keep_alive"; fi
  keep_old_alive
  docker stop -t 60 "$TRAEFIK" >/dev/null
  start_next "$policy" "$answers" "$policy_before" || status=$?
  echo 'Remove the redirects'
  remove_redirects "$filter"
  echo 'Drain the second Traefik'
  wait_idle "$SECOND" "$second_keep_alive"
  docker stop -t 60 "$SECOND" >/dev/null
  docker rm -f "$SECOND" "$OLD" >/dev/null 2>&1
  exit "$status"
)

# replace_alone POLICY ANSWERS
# The replacement without the packet filter. Kills the old Traefik, and its open requests, to keep the gap short. Prints
# `closed N`: the ports were closed for N hundredths of a second.
replace_alone() (
  status=0 closed_at='' policy_before=
  docker rm -f "$TRIAL" >/dev/null 2>&1
  if [ "$(container_state "$TRAEFIK")" = running ]; then
    keep_old_alive
    read_clock
    closed_at=$now
    echo 'Stop the old Traefik'
    docker kill "$TRAEFIK" >/dev/null
  fi
  start_next "$1" "$2" "$policy_before" || status=$?
  docker rm -f "$OLD" >/dev/null 2>&1
  if [ -n "$closed_at" ]; then
    read_clock
    echo "closed $((now - closed_at))"
  fi
  exit "$status"
)

# run_detached PROGRAM NAME ARGUMENT...
# Runs the text of a shell program in a new session, so that it continues when the connection is lost. Prints its output
# as it arrives, and exits with its status.
run_detached() (
  log=$(mktemp) || exit 1
  printed=0 status=0
  setsid sh -c "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    print_new
    pause_for 0.1
  done
  wait "$pid" || status=$?
  print_new
  rm -f "$log"
  exit "$status"
)

# print_new
# For run_detached: prints $log after its first $printed bytes. Sets $printed and $size.
print_new() {
  size=$(wc -c <"$log")
  if [ "$size" -gt "$printed" ]; then tail -c +$((printed + 1)) "$log" | head -c $((size - printed)); fi
  printed=$size
}

# replacement_runs
# Succeeds while a replacement runs on this host, of any run.
replacement_runs() {
  grep -slq "$PROCESS_PATTERN" /proc/[0-9]*/cmdline
}

# replacement_begins
# Succeeds while the run that created the next container is still connected.
replacement_begins() (
  by=$(docker inspect --type container --format '{{index .Config.Labels "'"$BY_LABEL"'"}}' "$NEXT" 2>/dev/null) || exit 1
  if [ -z "$by" ]; then exit 1; fi
  tr '\0' ' ' <"/proc/$by/cmdline" 2>/dev/null | grep -q 'sh -s'
)

# repair_replacement POLICY FILTER SECOND_KEEP_ALIVE REQUESTS
# Repairs an interrupted replacement: one Traefik serves, without redirects and without a second container. Exits with
# BEING_REPLACED if a replacement still runs after a minute.
repair_replacement() (
  tries=0
  while replacement_runs || replacement_begins; do
    tries=$((tries + 1))
    if [ "$tries" -ge 600 ]; then
      echo 'Another run is replacing Traefik' >&2
      exit "$BEING_REPLACED"
    fi
    pause_for 0.1
  done
  answers=$(print_answers "$SECOND" "$4")
  if [ "$(container_state "$TRAEFIK")" = gone ]; then
    docker rename "$OLD" "$TRAEFIK" 2>/dev/null || docker rename "$NEXT" "$TRAEFIK" || exit 1
  fi
  if ! output=$(docker start "$TRAEFIK" 2>&1); then
    if ! docker inspect --type container "$OLD" >/dev/null 2>&1; then
      printf '%s\n' "$output" >&2
      exit 1
    fi
    docker rm -f "$TRAEFIK" >/dev/null && docker rename "$OLD" "$TRAEFIK" && docker start "$TRAEFIK" >/dev/null || exit 1
  fi
  if ! output=$(wait_traefik "$TRAEFIK" "$answers"); then
    printf '%s\n' "$output" >&2
    exit 1
  fi
  docker update --restart "$1" "$TRAEFIK" >/dev/null || exit 1
  if [ "$2" != none ]; then
    remove_redirects "$2"
    wait_idle "$SECOND" "$3"
    docker stop -t 60 "$SECOND" >/dev/null 2>&1 || true
    docker rm -f "$SECOND" >/dev/null 2>&1 || true
  fi
  docker rm -f "$TRIAL" "$NEXT" "$OLD" >/dev/null 2>&1 || true
)
