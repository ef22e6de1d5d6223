# shellcheck shell=sh
# Docker's networks, and Traefik on them.

# make_network NAME
# Makes the network where it is absent. Two at once end with one.
make_network() {
  docker network inspect "$1" >/dev/null 2>&1 || docker network create "$1" >/dev/null || docker network inspect "$1" >/dev/null
}

# join_networks CONTAINER NETWORK...
# Puts the container on networks that it is not on. One on the host's own network reaches all others.
join_networks() (
  container=$1
  shift
  for network in "$@"; do
    joined=$(docker inspect --type container --format '{{with .NetworkSettings.Networks}}{{if or (index . "'"$network"'") (index . "host")}}yes{{end}}{{end}}' "$container")
    if [ "$joined" != yes ]; then docker network connect "$network" "$container" || exit 1; fi
  done
)

# join_as_before CONTAINER
# Puts the container that is to replace Traefik on every network that Traefik is on: other services put it there.
join_as_before() (
  # shellcheck disable=SC2016 # Go's templates have $ signs of their own
  for network in $(docker inspect --type container --format '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$TRAEFIK" 2>/dev/null); do
    case $network in
      host | none) ;;
      *) docker network connect "$network" "$1" 2>/dev/null || true ;;
    esac
  done
)

# wait_other_traefik
# Waits a second until the Traefik that another run has made at the same time is there. Fails where it is not.
wait_other_traefik() (
  tries=0
  until docker inspect --type container "$TRAEFIK" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 5 ]; then exit 1; fi
    pause_for 0.2
  done
)

# check_live_directory MOUNT DIRECTORY
# Fails where Traefik reads other live files, at MOUNT in its container, than those of DIRECTORY.
check_live_directory() (
  found=$(docker inspect --type container --format '{{range .Mounts}}{{if eq .Destination "'"$1"'"}}{{.Source}}{{end}}{{end}}' "$TRAEFIK") || exit 1
  case $found in "" | "$2") exit 0 ;; esac
  echo "Another run has started Traefik meanwhile, with its live files in $found: run this again" >&2
  exit 1
)
