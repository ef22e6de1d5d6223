# shellcheck shell=sh
# Creates docker networks, and connects containers to them.

# make_network NAME
# Creates the network if it is missing. Two concurrent calls create one network.
make_network() {
  docker network inspect "$1" >/dev/null 2>&1 || docker network create "$1" >/dev/null || docker network inspect "$1" >/dev/null
}

# join_networks CONTAINER NETWORK...
# Connects the container to the networks that it is not on. A container on the host's network reaches all networks.
join_networks() (
  container=$1
  shift
  for network in "$@"; do
    joined=$(docker inspect --type container --format '{{with .NetworkSettings.Networks}}{{if or (index . "'"$network"'") (index . "host")}}yes{{end}}{{end}}' "$container")
    if [ "$joined" != yes ]; then docker network connect "$network" "$container" || exit 1; fi
  done
)

# join_as_before CONTAINER
# Connects the new Traefik to every network of the running one: other services connected it to theirs.
join_as_before() (
  # shellcheck disable=SC2016 # Go templates contain $ signs
  for network in $(docker inspect --type container --format '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$TRAEFIK" 2>/dev/null); do
    case $network in
      host | none) ;;
      *) docker network connect "$network" "$1" 2>/dev/null || true ;;
    esac
  done
)

# wait_other_traefik
# Waits up to 1 s for the Traefik that a concurrent run creates. Fails if there is none.
wait_other_traefik() (
  tries=0
  until docker inspect --type container "$TRAEFIK" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 5 ]; then exit 1; fi
    pause_for 0.2
  done
)

# check_live_directory MOUNT DIRECTORY
# Fails if Traefik's container mounts another directory than DIRECTORY at MOUNT: it reads other live files.
check_live_directory() (
  found=$(docker inspect --type container --format '{{range .Mounts}}{{if eq .Destination "'"$1"'"}}{{.Source}}{{end}}{{end}}' "$TRAEFIK") || exit 1
  case $found in "" | "$2") exit 0 ;; esac
  echo "Another run has just started Traefik with live files in $found: run this again" >&2
  exit 1
)
