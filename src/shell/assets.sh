# shellcheck shell=sh
# Asset folders: each container of a role mounts one, BASE/ROLE-ID. During a deploy both versions serve the assets of both.
# Assets are copied out of images with `docker cp`: nothing of the image runs, so it needs no shell. BASE/.ROLE.part holds
# the last copy.

# image_of CONTAINER
image_of() {
  docker inspect --type container --format '{{.Image}}' "$1"
}

# asset_folder BASE PATH CONTAINER
# Prints the folder in BASE that the container mounts at PATH; nothing if it mounts none.
asset_folder() (
  folder=$(docker inspect --type container --format '{{range .Mounts}}{{if eq .Destination "'"$2"'"}}{{.Source}}{{end}}{{end}}' "$3")
  case $folder in "$1"/*) printf '%s' "$folder" ;; esac
)

# copy_out BASE ROLE PATH IMAGE
# Copies PATH out of the image to BASE/.ROLE.part, through a container that is created and never started.
copy_out() (
  part=$1/.$2.part source=$2-assets status=0
  docker rm -f "$source" >/dev/null 2>&1
  rm -rf "$part"
  mkdir -p "$part" || exit 1
  docker create --name "$source" "$4" true >/dev/null || exit 1
  docker cp -L "$source:$3/." "$part" >/dev/null || status=1
  docker rm "$source" >/dev/null
  exit "$status"
)

# copy_in PART FOLDER
# Copies the files that the folder does not have yet. The folder's own files stay: they belong to its version.
copy_in() {
  [ ! -d "$2" ] || tar -C "$1" -cf - . | tar -C "$2" -xkf - 2>/dev/null || true
}

# share_assets BASE ROLE PATH FOLDER OLD
# Copies the last copy into the folder of the old container, and the assets of the old image into FOLDER. An old image
# without PATH is no error.
share_assets() (
  part=$1/.$2.part
  if [ -n "$5" ]; then
    copy_in "$part" "$(asset_folder "$1" "$3" "$5")"
    if copy_out "$1" "$2" "$3" "$(image_of "$5")" 2>/dev/null; then copy_in "$part" "$4"; fi
  fi
  rm -rf "$part"
)

# collect_image_assets BASE ROLE PATH OLD ID IMAGE
# Creates the folder of a container before the container is created. Idempotent.
collect_image_assets() (
  part=$1/.$2.part folder=$1/$2-$5
  if ! copy_out "$1" "$2" "$3" "$6"; then
    rm -rf "$part"
    echo "asset_path: $3 could not be copied out of the image" >&2
    exit 1
  fi
  rm -rf "$folder" && mkdir -p "$folder" && chmod 755 "$folder" && cp -R "$part/." "$folder/" || exit 1
  share_assets "$1" "$2" "$3" "$folder" "$4"
)

# collect_kept_assets BASE ROLE PATH OLD CONTAINER
# The same for a kept container. If its image lacks PATH, the rollback continues: the container still has its folder.
collect_kept_assets() (
  folder=$(asset_folder "$1" "$3" "$5") || exit 1
  copy_out "$1" "$2" "$3" "$(image_of "$5")" 2>/dev/null || true
  share_assets "$1" "$2" "$3" "$folder" "$4"
)

# clean_assets BASE ROLE
# Removes the role's folders that no container mounts any more.
clean_assets() (
  if [ ! -d "$1" ]; then exit 0; fi
  docker rm -f "$2-assets" >/dev/null 2>&1 || true
  used=$(inspect_all '{{range .Mounts}}{{.Source}} {{end}}') || exit 1
  used=" $(printf '%s' "$used" | tr '\n' ' ') "
  for folder in "$1/$2"-[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]; do
    [ -d "$folder" ] || continue
    case $used in *" $folder "*) ;; *) rm -rf "$folder" ;; esac
  done
  rmdir "$1" 2>/dev/null || true
)
