# shellcheck shell=bash
# The engine of this machine: packages, dockerd, its view of the registry, the buildx plugin.

REGISTRY_ADDRESS=127.0.2.2
HUB_ADDRESS=127.0.2.3

install_packages() {
  local missing=() pair
  for pair in docker:docker.io dockerd:docker.io iptables:iptables debootstrap:debootstrap ssh:openssh-client curl:curl; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  if ! docker version --format '{{.Server.Version}}' >/dev/null 2>&1; then :; else
    # An engine is already running: do not start another.
    missing=("${missing[@]/docker.io/}")
  fi
  [ -n "${missing[*]// /}" ] || return 0
  say "installing ${missing[*]}"
  apt-get update -qq
  # The unquoted list drops emptied entries.
  # shellcheck disable=SC2068
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${missing[@]} >"$STATE/apt.log" 2>&1 ||
    fail "apt-get install failed, see $STATE/apt.log"
}

engine_answers() { docker info --format '{{.ServerVersion}}' >/dev/null 2>&1; }

# If nothing has mounted cgroups (a CI container without an init), dockerd finds none.
mount_cgroups() {
  mountpoint -q /sys/fs/cgroup && return
  mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || say "could not mount /sys/fs/cgroup, going on without"
}

start_engine() {
  install_packages
  if ! engine_answers; then
    say "starting dockerd"
    mount_cgroups
    mount -o remount,rw /proc/sys 2>/dev/null || true
    rm -f /var/run/docker.pid
    # Docker skips a mirror that is down, so the engine works before the hub does.
    # fd 9 is the lock of this script, which the daemon must not keep.
    setsid nohup dockerd --insecure-registry registry:5000 --registry-mirror "http://$HUB_ADDRESS:5000" \
      ${LAB_DOCKER_ROOT:+--data-root "$LAB_DOCKER_ROOT"} >"$STATE/dockerd.log" 2>&1 </dev/null 9>&- &
    echo $! >"$STATE/dockerd.pid"
    for _ in $(seq 60); do engine_answers && break; sleep 0.5; done
    engine_answers || fail "dockerd does not answer, see $STATE/dockerd.log"
  fi
  local insecure
  insecure=$(docker info --format '{{range $k, $v := .RegistryConfig.IndexConfigs}}{{if not $v.Secure}}{{$k}} {{end}}{{end}}')
  case " $insecure " in
    *" registry:5000 "*) ;;
    *) fail "the running engine does not know registry:5000 as a plain HTTP registry. Add
  \"insecure-registries\": [\"registry:5000\"], \"registry-mirrors\": [\"http://$HUB_ADDRESS:5000\"]
to /etc/docker/daemon.json and restart it." ;;
  esac
}

stop_engine() {
  [ -f "$STATE/dockerd.pid" ] || return 0
  local pid
  pid=$(cat "$STATE/dockerd.pid")
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
    kill "$pid"
    for _ in $(seq 60); do [ -d "/proc/$pid" ] || break; sleep 0.5; done
  fi
  rm -f "$STATE/dockerd.pid" "$STATE/dockerd.log"
}

install_buildx() {
  docker buildx version >/dev/null 2>&1 && return
  say "installing the buildx plugin"
  local plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins container
  mkdir -p "$plugins"
  build buildx trixie
  container=$(docker create mrsk-lab/buildx true)
  docker cp -q "$container:/docker-buildx" "$plugins/docker-buildx" 2>/dev/null ||
    docker cp "$container:/docker-buildx" "$plugins/docker-buildx"
  docker rm "$container" >/dev/null
  docker buildx version >/dev/null || fail "the buildx plugin does not run"
  echo "$plugins/docker-buildx" >"$STATE/buildx"
}

# The machine's hosts file may be a mount, so it is rewritten in place, never replaced.
add_host_name() {
  grep -q '# mrsk-lab$' /etc/hosts || printf '%s registry # mrsk-lab\n' "$REGISTRY_ADDRESS" >>/etc/hosts
}

forget_host_name() {
  local rest
  grep -q '# mrsk-lab$' /etc/hosts || return 0
  rest=$(grep -v '# mrsk-lab$' /etc/hosts)
  printf '%s\n' "$rest" >/etc/hosts
}
