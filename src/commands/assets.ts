import type { Config, Role } from "../config/config.ts";
import { raw, type Shell, sh } from "../script/command.ts";
import { ID_LABEL } from "../traefik/labels.ts";
import { containerPrefix } from "./names.ts";

/** What the folders of one role on one host are found by. */
export interface AssetPlace {
  readonly config: Config;
  readonly role: Role;
  /** Absolute path of the login directory. */
  readonly home: string;
}

function baseOf({ config, home }: AssetPlace): string {
  return `${home}/${config.runDirectory}/assets`;
}

/** Of one container: it stays as long as the container, for a rollback. */
function directoryOf(place: AssetPlace, id: string): string {
  return `${baseOf(place)}/${containerPrefix(place.config, place.role)}-${id}`;
}

/** For `docker run --volume`: none where the role has no `asset_path`. */
export function assetVolumes(place: AssetPlace, labels: ReadonlyMap<string, string>): string[] {
  const { assetPath } = place.role;
  const id = labels.get(ID_LABEL);
  return assetPath === undefined || id === undefined ? [] : [`${directoryOf(place, id)}:${assetPath}`];
}

/**
 * Lets both versions serve the assets of both: the folder of the new container is its image's, with what only the old
 * one's image has; the folder of the old container gets what only the new one's image has. A version's own file always
 * wins. Copied out of the images, of which nothing is run, so they need no shell. Running it again makes the same.
 * @param path `asset_path`
 * @param next a container that is to be made (image and id), or one that was kept
 * @param old the container that is live, by docker's id
 */
export function collectAssets(
  place: AssetPlace,
  path: string,
  next: { readonly image: string; readonly id: string } | { readonly container: string },
  old: string | undefined,
): Shell {
  return sh`${functions(place, path)}
${"container" in next ? fromKept(next.container) : fromImage(place, path, next)}
${old === undefined ? sh`:` : withOld(old)}
rm -rf "$part"`;
}

function fromImage(place: AssetPlace, path: string, { image, id }: { image: string; id: string }): Shell {
  return sh`target=${directoryOf(place, id)}
if ! take ${image}; then rm -rf "$part"; echo ${`asset_path: ${path} could not be copied out of the image`} >&2; exit 1; fi
rm -rf "$target"; mkdir -p "$target"; chmod 755 "$target"
cp -R "$part/." "$target/"`;
}

/** What is missing keeps nobody from going back: its folder has its own files. */
function fromKept(container: string): Shell {
  return sh`target=$(folder_of ${container})
take "$(image_of ${container})" 2>/dev/null || true`;
}

/** An image of before that has no such folder is no mistake. */
function withOld(container: string): Shell {
  return sh`give "$(folder_of ${container})"
if take "$(image_of ${container})" 2>/dev/null; then give "$target"; fi`;
}

/** `take` copies an image's folder to `$part`, `give` copies from there what is not in a folder yet. */
function functions(place: AssetPlace, path: string): Shell {
  const mount = `{{range .Mounts}}{{if eq .Destination "${path}"}}{{.Source}}{{end}}{{end}}`;
  const base = baseOf(place);
  const maker = makerOf(place);
  return sh`part=${`${base}/.${containerPrefix(place.config, place.role)}.part`}
take() {
  docker rm -f ${maker} >/dev/null 2>&1 || true
  rm -rf "$part"; mkdir -p "$part"
  docker create --name ${maker} "$1" true >/dev/null || return 1
  taken=0; docker cp -L ${`${maker}:${path}/.`} "$part" >/dev/null || taken=1
  docker rm ${maker} >/dev/null
  return $taken
}
give() {
  [ -d "$1" ] || return 0
  tar -C "$part" -cf - . | tar -C "$1" -xkf - 2>/dev/null || true
}
image_of() { docker inspect --type container --format '{{.Image}}' "$1"; }
folder_of() {
  folder=$(docker inspect --type container --format ${mount} "$1")
  case $folder in ${`${base}/`}*) printf '%s' "$folder" ;; esac
}`;
}

/** The container that is made of an image to copy from it, and never started. */
function makerOf({ config, role }: AssetPlace): string {
  return `${containerPrefix(config, role)}-assets`;
}

/** Removes the role's folders that no container has any more, after containers went. */
export function cleanAssets(place: AssetPlace): Shell {
  const { config, role } = place;
  const base = baseOf(place);
  return sh`[ -d ${base} ] || exit 0
docker rm -f ${makerOf(place)} >/dev/null 2>&1 || true
look() {
  ids=$(docker ps --all --quiet)
  [ -z "$ids" ] || docker inspect --type container --format '{{range .Mounts}}{{.Source}} {{end}}' $ids
}
used=$(look) || used=$(look)
used=" $(printf '%s' "$used" | tr '\n' ' ') "
for folder in ${`${base}/${containerPrefix(config, role)}-`}${raw("[0-9a-f]".repeat(8))}; do
  [ -d "$folder" ] || continue
  case $used in *" $folder "*) ;; *) rm -rf "$folder" ;; esac
done
rmdir ${base} 2>/dev/null || true`;
}
