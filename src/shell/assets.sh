# shellcheck shell=sh
# Folders of assets: a role's container has one, BASE/ROLE-ID, and both versions serve the assets of both. Assets are copied
# out of images, of which nothing is run, so they need no shell. BASE/.ROLE.part has what was copied last.

# image_of CONTAINER
image_of() {
  docker inspect --type container --format '{{.Image}}' "$1"
}

# asset_folder BASE PATH CONTAINER
# Prints the folder in BASE that the container has at PATH; nothing where it has none.
asset_folder() (
  folder=$(docker inspect --type container --format '{{range .Mounts}}{{if eq .Destination "'"$2"'"}}{{.Source}}{{end}}{{end}}' "$3")
  case $folder in "$1"/*) printf '%s' "$folder" ;; esac
)

# copy_out BASE ROLE PATH IMAGE
# Copies PATH of the image to BASE/.ROLE.part, by a container that is made and never started.
copy_out() (
  part=$1/.$2.part maker=$2-assets taken=0
  docker rm -f "$maker" >/dev/null 2>&1
  rm -rf "$part"
  mkdir -p "$part" || exit 1
  docker create --name "$maker" "$4" true >/dev/null || exit 1
  docker cp -L "$maker:$3/." "$part" >/dev/null || taken=1
  docker rm "$maker" >/dev/null
  exit "$taken"
)

# copy_in PART FOLDER
# Copies what the folder does not have yet: a version's own file always wins.
copy_in() {
  [ ! -d "$2" ] || tar -C "$1" -cf - . | tar -C "$2" -xkf - 2>/dev/null || true
}

# share_assets BASE ROLE PATH FOLDER OLD
# The folder of the old container gets what was copied last, and FOLDER what the old image has. An old image without
# PATH is no mistake.
share_assets() (
  part=$1/.$2.part
  if [ -n "$5" ]; then
    copy_in "$part" "$(asset_folder "$1" "$3" "$5")"
    if copy_out "$1" "$2" "$3" "$(image_of "$5")" 2>/dev/null; then copy_in "$part" "$4"; fi
  fi
  rm -rf "$part"
)

# collect_image_assets BASE ROLE PATH OLD ID IMAGE
# Makes the folder of a container that is to be made. Running it again makes the same.
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
# The same for a container that was kept. Assets that its image lacks keep no rollback from being done: it has its own.
collect_kept_assets() (
  folder=$(asset_folder "$1" "$3" "$5") || exit 1
  copy_out "$1" "$2" "$3" "$(image_of "$5")" 2>/dev/null || true
  share_assets "$1" "$2" "$3" "$folder" "$4"
)

# clean_assets BASE ROLE
# Removes the role's folders that no container has any more.
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
