# shellcheck shell=sh
# shellcheck disable=SC2154 # find_nearest sets $nearest
# shellcheck disable=SC2030,SC2031 # each function has its own PATH
# Collects the facts of a host. Changes nothing except the image cache (image_has_curl). A docker command takes tens of
# milliseconds: one lists the containers, one inspects them, and the other functions read their output.

# print_login DIRECTORY
# Prints the output of `id`; the home directory; `yes` or `no` for whether curl or wget is installed, with ` closed` in the
# same line if the user can neither write to DIRECTORY nor create it; the output of `df` for the home directory.
print_login() (
  id || exit
  pwd -P
  if command -v curl >/dev/null || command -v wget >/dev/null; then curl=yes; else curl=no; fi
  find_nearest "$1"
  if [ -d "$nearest" ] && [ -w "$nearest" ]; then echo "$curl"; else echo "$curl closed"; fi
  df -Pm . || true
)

# print_root_access LOGIN
# Prints the prefix with which the login user runs a command as root: empty for root, `sudo -n`, or `none` if the user
# cannot. LOGIN is the output of print_login.
print_root_access() {
  case $1 in
    "uid=0"[!0-9]*) echo ;;
    *) if sudo -n true 2>/dev/null; then echo 'sudo -n'; else echo none; fi ;;
  esac
}

# list_containers
# Prints a line for each container on the host: id, name, service and published ports, with tabs between.
list_containers() {
  docker ps --all --no-trunc --format '{{.ID}}\t{{.Names}}\t{{.Label "service"}}\t{{.Ports}}'
}

# inspect_service SERVICE FORMAT LIST
# Inspects the service's containers and Traefik. LIST is the output of list_containers. Lists again if a container was
# removed in between.
inspect_service() (
  inspect_listed "$1" "$2" "$3" 2>/dev/null && exit 0
  list=$(list_containers) || exit 1
  inspect_listed "$1" "$2" "$list"
)

# inspect_listed SERVICE FORMAT LIST
inspect_listed() (
  ids=$(printf '%s\n' "$3" | awk -F '\t' -v service="$1" '$2 == "'"$TRAEFIK"'" || $3 == service { print $1 }')
  # shellcheck disable=SC2086 # a word each
  if [ -n "$ids" ]; then docker inspect --type container --format "$2" $ids; fi
)

# inspect_all FORMAT
# Inspects every container of the host, of all services. Tries again if a container was removed in between.
inspect_all() (
  found=$(inspect_each "$1") || found=$(inspect_each "$1") || exit 1
  printf '%s\n' "$found"
)

# inspect_each FORMAT
inspect_each() (
  ids=$(docker ps --all --quiet) || exit 1
  # shellcheck disable=SC2086 # a word each
  if [ -n "$ids" ]; then docker inspect --type container --format "$1" $ids; fi
)

# print_listeners INSPECTED ACCESS
# Prints the listening sockets and their programs, unless Traefik runs: it would be one of them. INSPECTED is the output of
# inspect_service, ACCESS that of print_root_access.
print_listeners() (
  case $1 in
    "state running"* | *"
state running"*) exit 0 ;;
  esac
  access=$2
  PATH=$PATH:/usr/sbin:/sbin
  if [ "$access" = none ]; then access=; fi
  # shellcheck disable=SC2086 # two words or none
  $access ss -Hltnp 2>/dev/null || true
)

# print_redirects ACCESS
# Prints `redirects` if the login user can change the packet filter, and `rules` if it has rules of mrsk.
print_redirects() (
  if [ "$1" = none ]; then exit 0; fi
  PATH=$PATH:/usr/sbin:/sbin
  # shellcheck disable=SC2086 # two words or none
  rules=$($1 iptables -w 5 -t nat -S PREROUTING 2>/dev/null) || exit 0
  echo redirects
  case $rules in *"--comment $COMMENT"*) echo rules ;; esac
)

# print_live_files NAMES PARENT INSPECTED ACCESS
# Prints the directory of live files; `writable` or `closed` for the login user; and each file NAMES-*.yml in it: its name,
# then its lines in base64, indented by a space, but the names alone of certificate files, which contain private keys. The
# directory is the one that Traefik mounts or, without Traefik, root's
# shared directory or a directory in PARENT.
print_live_files() (
  newline='
'
  inspected=$newline$3 sudo=
  case $inspected in
    *"${newline}live "*)
      directory=${inspected#*"${newline}live "}
      directory=${directory%%"$newline"*}
      ;;
    *)
      directory=$(pwd -P)/$2/traefik
      if [ -z "$4" ]; then directory=$SHARED_DIRECTORY/traefik; fi
      ;;
  esac
  printf '%s\n' "$directory"
  find_nearest "$directory"
  if [ -w "$nearest" ]; then
    echo writable
  elif [ "$4" = none ]; then
    echo closed
  else
    sudo=$4
    echo writable
  fi
  # shellcheck disable=SC2016 # read by the shell that runs it
  list='for file in "$1"/$2-*.yml; do
    [ -f "$file" ] || continue
    name=${file##*/}
    printf "%s\n" "${name%.yml}"
    case $name in *@tls.yml) ;; *) base64 <"$file" | sed "s/^/ /" ;; esac
  done'
  set -- "$directory" "$1"
  if [ -z "$sudo" ]; then
    eval "$list"
  else
    # shellcheck disable=SC2086 # two words
    $sudo sh -c "$list" sh "$@"
  fi
)

# image_has_curl IMAGE FILE BASE
# Prints `yes` or `no`: whether docker's health check, a shell that calls curl, can run in the image. Tests this in a
# separate container, because a container whose check cannot run never becomes healthy. FILE caches the answer, in lines
# `1 KIND yes`: images with the same instructions on the same base are of one kind, as the versions of an app are. BASE is
# the image's first layer, or empty. Prints nothing if the image is missing, or docker could not run the test.
image_has_curl() (
  base=$3
  if [ -z "$base" ]; then
    base=$(docker image inspect --format '{{index .RootFS.Layers 0}}' "$1" 2>/dev/null) || exit 0
  fi
  steps=$(docker history --no-trunc --format '{{.CreatedBy}}' "$1" 2>/dev/null | sha256sum)
  kind=$base-${steps%% *} known=
  if [ -f "$2" ]; then
    known=$(awk -v kind="$kind" '$1 == 1 && $2 == kind { found = $3 } END { print found }' "$2")
  fi
  if [ -z "$known" ]; then
    status=0
    docker run --rm --network none --entrypoint /bin/sh "$1" -c 'curl --version' >/dev/null 2>&1 || status=$?
    case $status in
      0) known=yes ;;
      126 | 127) known=no ;;
      *) exit 0 ;;
    esac
    remember_image "$2" "1 $kind $known" || exit 1
  fi
  echo "$known"
)

# remember_image FILE LINE
# Appends the line to FILE, and keeps the last 100 lines.
remember_image() (
  case $1 in */*) [ -d "${1%/*}" ] || mkdir -p "${1%/*}" || exit 1 ;; esac
  {
    if [ -f "$1" ]; then tail -n 99 "$1"; fi
    printf '%s\n' "$2"
  } >"$1.$$" && mv -f "$1.$$" "$1"
)

# or_remove FILE COMMAND...
# Runs the command. If it fails, removes FILE, the cache of image_has_curl: an image may differ from others of its kind, so
# the next run tests it again.
or_remove() (
  file=$1
  shift
  ("$@") && exit 0
  status=$?
  rm -f "$file"
  exit "$status"
)
