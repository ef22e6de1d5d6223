# shellcheck shell=bash
# The lab's containers: registry, hub, servers; their keys, addresses and readiness checks.

# If --privileged is refused: all its capabilities except the missing one.
CAPABILITIES="AUDIT_CONTROL AUDIT_READ BLOCK_SUSPEND DAC_READ_SEARCH IPC_LOCK IPC_OWNER LEASE LINUX_IMMUTABLE MAC_ADMIN
  MAC_OVERRIDE NET_ADMIN NET_BROADCAST SYS_ADMIN SYS_BOOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_TIME
  SYS_TTY_CONFIG SYSLOG WAKE_ALARM"

files_server() {
  mkdir -p "$1/lab"
  cp -r "$LAB_DIR/images/common/." "$1/lab/"
  chmod 755 "$1"/lab/usr/local/sbin/*
}

files_bare() {
  files_server "$1"
  # Its engine is installed later, and needs the same settings.
  rm -f "$1/lab/etc/docker/.keep"
}

files_registry() { chmod 755 "$1/entry"; }
files_postgres() { chmod 755 "$1/docker-entrypoint.sh"; }

make_keys() {
  local key
  for key in id_lab id_wrong; do
    [ -f "$STATE/$key" ] || ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$STATE/$key"
  done
  [ -f "$STATE/id_encrypted" ] || ssh-keygen -q -t ed25519 -N lab-passphrase -C id_encrypted -f "$STATE/id_encrypted"
}

container_runs() { [ "$(docker inspect --type container -f '{{.State.Running}}' "$1" 2>/dev/null)" = true ]; }

start_network() {
  docker network inspect "$NETWORK" >/dev/null 2>&1 || docker network create --subnet "$SUBNET" "$NETWORK" >/dev/null
}

start_registry() { # name, role, address inside, address outside
  container_runs "$1" && return
  docker rm -fv "$1" >/dev/null 2>&1 || true
  docker run -d --name "$1" --network "$NETWORK" --network-alias "$2" --ip "$3" -p "$4:5000:5000" \
    -e LAB_REGISTRY_USER="$REGISTRY_USER" -e LAB_REGISTRY_PASSWORD="$REGISTRY_PASSWORD" mrsk-lab/registry "$2" >/dev/null
}

start_registries() {
  local image
  start_registry mrsk-lab-registry registry 172.30.77.2 "$REGISTRY_ADDRESS"
  start_registry mrsk-lab-hub hub 172.30.77.3 "$HUB_ADDRESS"
  add_host_name
  wait_for "the hub" curl -fsS -o /dev/null "http://$HUB_ADDRESS:5000/v2/"
  for image in "${HUB_IMAGES[@]}"; do
    local name=${image%%:*} tag=${image#*:}
    curl -fsS -o /dev/null -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
      "http://$HUB_ADDRESS:5000/v2/library/$name/manifests/$tag" 2>/dev/null && continue
    docker tag "$image" "$HUB_ADDRESS:5000/library/$image"
    docker push -q "$HUB_ADDRESS:5000/library/$image" >/dev/null
    docker rmi "$HUB_ADDRESS:5000/library/$image" >/dev/null
  done
}

privileges() {
  if [ ! -f "$STATE/privileges" ]; then
    if docker run --rm --privileged debian:bookworm-slim true >/dev/null 2>&1; then
      echo "--privileged" >"$STATE/privileges"
    else
      local capability
      {
        for capability in $CAPABILITIES; do printf -- '--cap-add %s ' "$capability"; done
        printf -- '--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined '
        printf -- '-v /sys/fs/cgroup:/sys/fs/cgroup:rw '
      } >"$STATE/privileges"
    fi
  fi
  cat "$STATE/privileges"
}

start_servers() {
  local server name image number keys privileges marker
  keys=$(cat "$STATE/id_lab.pub" "$STATE/id_encrypted.pub")
  privileges=$(privileges)
  marker=$(printf '%s' "$keys" | sha256sum | cut -c1-16)
  for server in "${SERVERS[@]}"; do
    read -r name image number <<<"$server"
    # A server of another checkout has other keys: create it again.
    container_runs "mrsk-lab-$name" &&
      [ "$(docker inspect -f '{{index .Config.Labels "mrsk-lab.keys"}}' "mrsk-lab-$name")" = "$marker" ] && continue
    docker rm -fv "mrsk-lab-$name" >/dev/null 2>&1 || true
    local address=127.0.2.$number ports=() port
    for port in 22 80 443 5432; do ports+=(-p "$address:$port:$port"); done
    # shellcheck disable=SC2086
    docker run -d --name "mrsk-lab-$name" --hostname "lab-$name" --network "$NETWORK" --ip "172.30.77.$number" "${ports[@]}" \
      $privileges --device-cgroup-rule 'a *:* rwm' -v /var/lib/docker -e LAB_AUTHORIZED_KEYS="$keys" \
      --label "mrsk-lab.keys=$marker" "mrsk-lab/$image" >/dev/null
  done
}

wait_for() { # what, command
  local what=$1 tries=0
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || fail "$what does not answer"
    sleep 0.5
  done
}

number_of() {
  local server name image number
  for server in "${SERVERS[@]}"; do
    read -r name image number <<<"$server"
    if [ "$name" = "$1" ]; then echo "$number"; return; fi
  done
  return 1
}

address_of() {
  local number
  number=$(number_of "$1") && echo "127.0.2.$number"
}

lab_ssh() { # user, server, command
  local user=$1 address
  address=$(address_of "$2")
  shift 2
  ssh -F none -i "$STATE/id_lab" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -o LogLevel=ERROR "$user@$address" "$@"
}

each_server() { # command, with the server's name behind it
  local server
  for server in "${SERVERS[@]}"; do "$@" "${server%% *}" || return 1; done
}

server_answers() {
  if [[ $1 == bare* ]]; then lab_ssh root "$1" true; else lab_ssh root "$1" docker info; fi
}

wait_server() { wait_for "server $1" server_answers "$1"; }

wait_ready() {
  wait_for "the registry" curl -sS -o /dev/null "http://$REGISTRY_ADDRESS:5000/v2/"
  each_server wait_server
}

known_host() { ssh-keyscan -t ed25519,ecdsa,rsa "$(address_of "$1")" 2>/dev/null >>"$STATE/known_hosts"; }

write_known_hosts() {
  : >"$STATE/known_hosts"
  each_server known_host
  chmod 600 "$STATE/known_hosts"
}

# One file for each set: `env` for the first, `env.2` … for the others, with the same names in each.
write_env() {
  local set server name image number
  for ((set = 1; set <= SETS; set++)); do
    {
      echo "LAB_KEY=$STATE/id_lab"
      echo "LAB_KNOWN_HOSTS=$STATE/known_hosts"
      echo "LAB_REGISTRY=registry:5000"
      echo "LAB_REGISTRY_ON_LOOPBACK=$REGISTRY_ADDRESS:5000"
      echo "LAB_REGISTRY_USER=$REGISTRY_USER"
      echo "LAB_REGISTRY_PASSWORD=$REGISTRY_PASSWORD"
      for server in "${SERVERS[@]:$((4 * (set - 1))):4}"; do
        read -r name image number <<<"$server"
        local letter=${name%%[0-9]*}
        echo "LAB_${letter^^}=127.0.2.$number"
        echo "LAB_${letter^^}_INNER=172.30.77.$number"
        echo "LAB_${letter^^}_CONTAINER=mrsk-lab-$name"
      done
    } >"$STATE/env$([ "$set" = 1 ] || echo ".$set")"
  done
}

server_status() {
  local engine
  if ! lab_ssh root "$1" true 2>/dev/null; then echo "$1  $(address_of "$1")  no answer"; return 1; fi
  engine=$(lab_ssh root "$1" "docker version --format '{{.Server.Version}}'" 2>/dev/null) || engine=
  echo "$1  $(address_of "$1")  ${engine:+Docker Engine $engine}${engine:-no Docker}" | sed "s/\(Docker Engine \([^ ]*\)\)\2$/\1/"
}

status() {
  local bad=0 server
  for server in registry:$REGISTRY_ADDRESS hub:$HUB_ADDRESS; do
    if curl -sS -o /dev/null -m 5 "http://${server#*:}:5000/v2/" 2>/dev/null; then
      echo "${server%%:*}  ${server#*:}:5000"
    else
      echo "${server%%:*}  no answer"
      bad=1
    fi
  done
  for server in "${SERVERS[@]}"; do server_status "${server%% *}" || bad=1; done
  return "$bad"
}

remove_containers() {
  engine_answers || return 0
  local ids
  ids=$(docker ps -aq --filter "name=^mrsk-lab-")
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker rm -fv $ids >/dev/null
  docker network rm "$NETWORK" >/dev/null 2>&1 || true
}
