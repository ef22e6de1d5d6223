import type { Config, Role } from "../config/config.ts";
import { call } from "../script/call.ts";
import type { Shell } from "../script/command.ts";
import { ID_LABEL } from "../traefik/labels.ts";
import { containerPrefix } from "../config/names.ts";

/** Locates the asset folders of one role on one host. */
export interface AssetLocation {
  readonly config: Config;
  readonly role: Role;
  /** Absolute path of the login user's home directory. */
  readonly home: string;
}

function baseOf({ config, home }: AssetLocation): string {
  return `${home}/${config.runDirectory}/assets`;
}

/** The folder of one container. It remains as long as the container, for a rollback. */
function directoryOf(location: AssetLocation, id: string): string {
  return `${baseOf(location)}/${containerPrefix(location.config, location.role)}-${id}`;
}

/** Values of `docker run --volume`; none if the role has no `asset_path`. */
export function assetVolumes(location: AssetLocation, labels: ReadonlyMap<string, string>): string[] {
  const { assetPath, assetOptions } = location.role;
  const id = labels.get(ID_LABEL);
  if (assetPath === undefined || id === undefined) return [];
  const options = assetOptions === undefined ? "" : `:${assetOptions}`;
  return [`${directoryOf(location, id)}:${assetPath}${options}`];
}

/**
 * Makes both versions serve the assets of both: creates the folder of the new container from its image, then adds to each
 * folder the files that only the other version has. A version's own files are never overwritten. Idempotent.
 * @param path `asset_path`
 * @param next the container to create (image and id), or a kept container
 * @param old docker's id of the live container
 */
export function collectAssets(
  location: AssetLocation,
  path: string,
  next: { readonly image: string; readonly id: string } | { readonly container: string },
  old: string | undefined,
): Shell {
  const shared = [baseOf(location), containerPrefix(location.config, location.role), path, old ?? ""];
  return "container" in next
    ? call("collect_kept_assets", ...shared, next.container)
    : call("collect_image_assets", ...shared, next.id, next.image);
}

/** Removes the role's folders that no container mounts any more, after containers were removed. */
export function cleanAssets(location: AssetLocation): Shell {
  return call("clean_assets", baseOf(location), containerPrefix(location.config, location.role));
}
