# shellcheck shell=sh
# Installs Docker and curl on a server. System programs are searched as root: a login user's PATH often lacks sbin.

# as_root COMMAND...
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# may_be_root
may_be_root() {
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

# root_has PROGRAM
root_has() {
  as_root sh -c "command -v $1" >/dev/null 2>&1
}

# install_packages PACKAGE...
install_packages() {
  if root_has apt-get; then
    as_root apt-get update -qq >&2 && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
  elif root_has dnf; then
    as_root dnf install -y -q "$@" >&2
  elif root_has yum; then
    as_root yum install -y -q "$@" >&2
  elif root_has zypper; then
    as_root zypper --non-interactive --quiet install "$@" >&2
  elif root_has apk; then
    as_root apk add --quiet "$@" >&2
  else
    echo 'No known package manager: apt-get, dnf, yum, zypper or apk' >&2
    return 1
  fi
}

# start_docker
# Starts the Docker daemon, and waits up to 30 s until it answers.
start_docker() (
  if docker info >/dev/null 2>&1; then exit 0; fi
  if root_has systemctl && [ -d /run/systemd/system ]; then
    as_root systemctl enable --now docker >&2 || true
  elif root_has rc-update; then
    as_root rc-update add docker default >&2 || true
    as_root rc-service docker start >&2 || true
  elif root_has service; then
    as_root service docker start >&2 || true
  fi
  tries=0
  until as_root docker info >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 60 ]; then
      echo 'Docker is installed, but its daemon does not answer' >&2
      exit 1
    fi
    pause_for 0.5
  done
)

# fetch_install_script
# Downloads Docker's own installation script with curl or wget, and prints it.
fetch_install_script() {
  curl -fsSL --max-time 30 https://get.docker.com 2>/dev/null || wget -qO- -T 30 https://get.docker.com 2>/dev/null
}

# install_docker
# Installs Docker and curl if they are missing: Docker with its own script or, if that cannot be downloaded, from the
# distribution's package. Adds the login user to the group docker. Prints what it did. Exits with NOT_ALLOWED if the
# login user is not root and sudo needs a password; with NOT_DOCKER, and the version on standard output, if `docker` is
# another program.
install_docker() (
  case $(docker --version 2>/dev/null) in
    podman*)
      docker --version
      exit "$NOT_DOCKER"
      ;;
  esac
  if command -v docker >/dev/null && command -v curl >/dev/null && docker info >/dev/null 2>&1; then
    echo present
    exit 0
  fi
  may_be_root || exit "$NOT_ALLOWED"
  if ! command -v docker >/dev/null; then
    if ! command -v curl >/dev/null && ! command -v wget >/dev/null; then install_packages curl ca-certificates || exit; fi
    script=$(fetch_install_script) || script=
    if [ -n "$script" ] && printf '%s' "$script" | as_root sh >&2; then
      echo "installed by Docker's own script"
    elif root_has apt-get; then
      install_packages docker.io iptables || exit
      echo "installed the distribution's docker.io"
    else
      install_packages docker || install_packages moby-engine || exit
      echo "installed the distribution's docker"
    fi
  fi
  if ! command -v curl >/dev/null; then install_packages curl ca-certificates || exit; fi
  start_docker || exit
  if [ "$(id -u)" != 0 ] && ! docker info >/dev/null 2>&1; then
    as_root usermod -aG docker "$(id -un)" 2>/dev/null || as_root addgroup "$(id -un)" docker || exit
    echo "$(id -un) joined the group docker"
  fi
)
