import { raw, type Shell, sh } from "../script/command.ts";

/** Exit status of `installDocker` when the login user may not install anything. */
export const NOT_ALLOWED = 77;
/** Exit status of `installDocker` when another program has the name docker, whose version it prints. */
export const NOT_DOCKER = 78;
/** Printed, with the user before it, when the login user was put into the group: what is logged in does not have it. */
export const JOINED = "joined the group docker";

// Programs of the system are looked for as root: a login user's PATH often has no sbin.
/**
 * Docker and curl, where they are missing: Docker's own script by curl or wget, and where that cannot be reached the
 * distribution's package. As root, or with sudo that asks for no password; the login user then joins the docker group.
 * Prints what it did.
 */
export function installDocker(): Shell {
  return sh`as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
may() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
has() { as_root sh -c "command -v $1" >/dev/null 2>&1; }
packages() {
  if has apt-get; then
    as_root apt-get update -qq >&2 && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
  elif has dnf; then as_root dnf install -y -q "$@" >&2
  elif has yum; then as_root yum install -y -q "$@" >&2
  elif has zypper; then as_root zypper --non-interactive --quiet install "$@" >&2
  elif has apk; then as_root apk add --quiet "$@" >&2
  else echo "No package manager that is known here" >&2; return 1; fi
}
serve() {
  docker info >/dev/null 2>&1 && return
  if has systemctl && [ -d /run/systemd/system ]; then as_root systemctl enable --now docker >&2 || true
  elif has rc-update; then as_root rc-update add docker default >&2 || true; as_root rc-service docker start >&2 || true
  elif has service; then as_root service docker start >&2 || true; fi
  tries=0
  until as_root docker info >/dev/null 2>&1; do
    tries=$((tries + 1)); [ "$tries" -lt 60 ] || { echo "Docker is installed, but its daemon does not answer" >&2; return 1; }
    sleep 0.5 2>/dev/null || sleep 1
  done
}
case $(docker --version 2>/dev/null) in podman*) docker --version; exit ${NOT_DOCKER} ;; esac
if command -v docker >/dev/null && command -v curl >/dev/null && docker info >/dev/null 2>&1; then echo present; exit 0; fi
may || exit ${NOT_ALLOWED}
if ! command -v docker >/dev/null; then
  command -v curl >/dev/null || command -v wget >/dev/null || packages curl ca-certificates
  script=$(curl -fsSL --max-time 30 https://get.docker.com 2>/dev/null || wget -qO- -T 30 https://get.docker.com 2>/dev/null) || script=
  if [ -n "$script" ] && printf '%s' "$script" | as_root sh >&2; then echo "installed by Docker's own script"
  elif has apt-get; then packages docker.io iptables; echo "installed the distribution's docker.io"
  else packages docker || packages moby-engine; echo "installed the distribution's docker"; fi
fi
command -v curl >/dev/null || packages curl ca-certificates
serve
if [ "$(id -u)" != 0 ] && ! docker info >/dev/null 2>&1; then
  as_root usermod -aG docker "$(id -un)" 2>/dev/null || as_root addgroup "$(id -un)" docker; echo "$(id -un) ${raw(JOINED)}"
fi`;
}
