import type { Config, Role } from "../config/config.ts";
import { call } from "../script/call.ts";
import type { Shell } from "../script/command.ts";
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
 * wins. Running it again makes the same.
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
  const shared = [baseOf(place), containerPrefix(place.config, place.role), path, old ?? ""];
  return "container" in next
    ? call("collect_kept_assets", ...shared, next.container)
    : call("collect_image_assets", ...shared, next.id, next.image);
}

/** Removes the role's folders that no container has any more, after containers went. */
export function cleanAssets(place: AssetPlace): Shell {
  return call("clean_assets", baseOf(place), containerPrefix(place.config, place.role));
}
