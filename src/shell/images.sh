# shellcheck shell=sh
# Checks and removes images of the service, and removes containers by label.

# check_image IMAGE SERVICE [ARCHITECTURE]
# Checks that the host can run the image, and that the image has the label by which it is pruned and removed. Prints the
# image's first layer. Exits with NO_LABEL and the value of the label `service`, or with OTHER_ARCHITECTURE and both
# names (`arm64 x86_64`). Checks only amd64 and arm64, the architectures that builders build for. ARCHITECTURE is the
# host's, in docker's spelling.
check_image() (
  here=$(machine_of "${3:-}")
  # shellcheck disable=SC2046 # architecture, first layer, label
  set -- "$2" $(docker image inspect --format '{{.Architecture}} {{with .RootFS.Layers}}{{index . 0}}{{else}}none{{end}} {{index .Config.Labels "service"}}' "$1")
  if [ "${4:-}" != "$1" ]; then
    printf '%s\n' "${4:-}"
    exit "$NO_LABEL"
  fi
  case $2 in
    amd64 | arm64) needed=$(machine_of "$2") ;;
    *) needed=$here ;;
  esac
  if [ "$here" != "$needed" ] && [ ! -e "/proc/sys/fs/binfmt_misc/qemu-$needed" ]; then
    echo "$2 $here"
    exit "$OTHER_ARCHITECTURE"
  fi
  echo "${3:-}"
)

# machine_of ARCHITECTURE
# Converts docker's name of an architecture to the name of `uname -m`, and prints it; without a name, the host's.
machine_of() {
  case $1 in
    amd64) echo x86_64 ;;
    arm64) echo aarch64 ;;
    "") uname -m ;;
    *) echo "$1" ;;
  esac
}

# prune_images SERVICE LATEST
# Removes the service's unused images except LATEST, then its dangling images.
prune_images() (
  filter=label=service=$1 used='' dangling=''
  images=$(docker image ls --all --filter "$filter" --format '{{.Repository}}:{{.Tag}}') || exit 1
  for image in $images; do
    case $image in
      "$2") continue ;;
      *'<none>'*)
        dangling=yes
        continue
        ;;
    esac
    if [ -z "$used" ]; then
      used=$(docker container ls --all --format '{{.Image}}' --filter "$filter") || exit 1
      used=" $(printf '%s' "$used" | tr '\n' ' ') "
    fi
    case $used in *" $image "*) ;; *) docker image rm "$image" || true ;; esac
  done
  if [ -n "$dangling" ]; then docker image prune --force --filter "$filter" --filter dangling=true; fi
)

# remove_images SERVICE REPOSITORY LATEST
# Removes every unused image of the service, also images in REPOSITORY without the label `service`: an image that was
# built elsewhere has none. Images have no destination: if another destination still has containers, it only prunes.
remove_images() (
  if [ -n "$(docker container ls --all --quiet --filter "label=service=$1")" ]; then
    prune_images "$1" "$3"
    exit
  fi
  docker image ls --format '{{.Repository}}:{{.Tag}}' "$2" | while read -r image; do
    case $image in *'<none>'*) continue ;; esac
    case $(docker image inspect --format '{{index .Config.Labels "service"}}' "$image" </dev/null 2>/dev/null) in
      '' | '<no value>' | "$1") docker image rm "$image" </dev/null || true ;;
    esac
  done
  docker image prune --all --force --filter "label=service=$1"
)

# remove_labelled LABEL
# Removes every container that has the label.
remove_labelled() (
  ids=$(docker ps --all --quiet --filter "label=$1") || exit 1
  # shellcheck disable=SC2086 # a word each
  if [ -n "$ids" ]; then docker rm -f $ids >/dev/null; fi
)
