# shellcheck shell=bash
# A certificate authority with Let's Encrypt's protocol, for the tests of HTTPS. Only they need it, so `up` does not
# start it.

PEBBLE_VERSION=2.10.3
# The Go version that the release requires; an older one is not used.
PEBBLE_GO=1.26.0
PEBBLE_INNER=172.30.77.4
PEBBLE_ADDRESS=127.0.2.6

# The certificate of the authority's own HTTPS: `ca.pem` signs it, which a Traefik in a test has to trust.
make_acme_certificate() {
  local folder=$STATE/acme
  [ -f "$folder/server.pem" ] && return
  mkdir -p "$folder"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=mrsk lab" \
    -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=pebble" -keyout "$folder/server.key" \
    -out "$folder/server.csr" 2>/dev/null
  openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -days 3650 -out "$folder/server.pem" \
    -extfile <(echo "subjectAltName=DNS:pebble,DNS:localhost,IP:$PEBBLE_INNER,IP:$PEBBLE_ADDRESS,IP:127.0.0.1") 2>/dev/null
}

files_pebble() {
  local folder=$STATE/downloads go work program
  if [ ! -x "$folder/pebble-$PEBBLE_VERSION" ]; then
    go=$(go_command "$PEBBLE_GO")
    say "building pebble $PEBBLE_VERSION"
    work=$(mktemp -d)
    (
      cd "$work"
      "$go" mod init lab/pebble
      GOFLAGS=-mod=mod "$go" get "github.com/letsencrypt/pebble/v2@v$PEBBLE_VERSION"
      for program in pebble pebble-challtestsrv; do
        GOFLAGS=-mod=mod CGO_ENABLED=0 "$go" build -trimpath -ldflags '-s -w' -o "$program" \
          "github.com/letsencrypt/pebble/v2/cmd/$program"
      done
    ) >"$STATE/pebble.log" 2>&1 || fail "building pebble failed, see $STATE/pebble.log"
    mkdir -p "$folder"
    for program in pebble pebble-challtestsrv; do mv "$work/$program" "$folder/$program-$PEBBLE_VERSION"; done
    rm -rf "$work"
  fi
  for program in pebble pebble-challtestsrv; do cp "$folder/$program-$PEBBLE_VERSION" "$1/$program"; done
  make_acme_certificate
  cp "$STATE/acme/server.pem" "$STATE/acme/server.key" "$1/"
}

# Gives a server the name SERVER.lab.test, on this machine and for the authority.
name_server() { # server
  local number
  number=$(number_of "$1")
  grep -q " $1.lab.test # mrsk-lab$" /etc/hosts || echo "127.0.2.$number $1.lab.test # mrsk-lab" >>/etc/hosts
  curl -fsS -d "{\"host\":\"$1.lab.test\",\"addresses\":[\"172.30.77.$number\"]}" "http://$PEBBLE_ADDRESS:8055/add-a"
}

# Prints, one per line: the directory for Traefik on the servers, the management address of the DNS server, the address
# of the authority's root certificate, and the path of the certificate that its own HTTPS is signed by.
acme() {
  container_runs mrsk-lab-registry || fail "the lab is not up"
  hold_lock
  build pebble bookworm
  if ! container_runs mrsk-lab-pebble; then
    docker rm -fv mrsk-lab-pebble >/dev/null 2>&1 || true
    docker run -d --name mrsk-lab-pebble --network "$NETWORK" --ip "$PEBBLE_INNER" -p "$PEBBLE_ADDRESS:14000:14000" \
      -p "$PEBBLE_ADDRESS:15000:15000" -p "$PEBBLE_ADDRESS:8055:8055" mrsk-lab/pebble >/dev/null
  fi
  wait_for "pebble" curl -fsS --cacert "$STATE/acme/ca.pem" "https://$PEBBLE_ADDRESS:14000/dir"
  each_server name_server
  echo "https://$PEBBLE_INNER:14000/dir"
  echo "http://$PEBBLE_ADDRESS:8055"
  echo "https://$PEBBLE_ADDRESS:15000/roots/0"
  echo "$STATE/acme/ca.pem"
}
