import type { Config } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { type Body, docker, type Shell, sh } from "../script/command.ts";
import { writeLiveFile } from "./write-live-file.ts";
import { joinNewTraefik } from "./network.ts";
import { withLogin } from "./registry.ts";
import {
  LIVE_MOUNT,
  offersLiveFiles,
  runTraefik,
  startTraefikContainer,
  TRAEFIK,
  type TraefikHost,
} from "./traefik.ts";

/** Where root keeps live files: every login user of the group docker can write there, which no home of root's offers. */
export const SHARED_DIRECTORY = "/var/lib/mrsk";

/**
 * The directory of live files, before docker makes it as root. Who may use docker is as good as root on that host, so
 * the group docker may write there: services that other users deploy share the Traefik that reads it.
 */
export function makeLiveDirectory(directory: string): Shell {
  return sh`if [ ! -d ${directory} ]; then
  mkdir -p ${directory}
  if chgrp docker ${directory} 2>/dev/null; then chmod 2775 ${directory}; fi
  case ${directory} in
    ${SHARED_DIRECTORY}/*) if chgrp docker ${SHARED_DIRECTORY} 2>/dev/null; then chmod 750 ${SHARED_DIRECTORY}; fi ;;
  esac
fi`;
}

/**
 * What nobody's router takes is answered with 503, as by a router of Kamal's with 502: unlike Traefik's 404, no cache keeps
 * it. Below every other router: priorities below 0 are lower than any that a rule has by its length. No role's file has a
 * name without a dash.
 */
const UNAVAILABLE = `http:
  routers:
    unavailable: { rule: "PathPrefix(\`/\`)", priority: -1, service: unavailable }
    unavailable-tls: { rule: "PathPrefix(\`/\`)", priority: -1, service: unavailable, tls: {} }
  services:
    unavailable: { loadBalancer: { servers: [] } }
`;

/** The directory with the file for what nobody's router takes. A user who may not write there goes without the file. */
export function prepareLiveDirectory(directory: string): Shell {
  return sh`${makeLiveDirectory(directory)}
[ -f ${`${directory}/unavailable.yml`} ] || ( ${writeLiveFile(directory, "unavailable", UNAVAILABLE)} ) || true`;
}

/**
 * Starts the stopped container, or a new one. Two first deploys at once end with one Traefik: the name is free only once,
 * and who comes second waits for the other's to run. Ends with an error where that one reads other live files.
 */
export function startOrRunTraefik(
  config: Config,
  host: TraefikHost,
  secrets: ReadonlyMap<string, Secret>,
  options: { publishPreview?: boolean } = {},
): Shell {
  const { liveDirectory } = host;
  return sh`${offersLiveFiles(config) ? prepareLiveDirectory(liveDirectory) : makeLiveDirectory(liveDirectory)}
if made=$(${runTraefik(config, host, secrets, options)}); then ${joinNewTraefik(config)}; exit 0; fi
if [ -n "$made" ]; then docker rm -f "$made" >/dev/null; exit 1; fi
tries=0
until docker inspect --type container ${TRAEFIK} >/dev/null 2>&1; do
  tries=$((tries + 1)); [ "$tries" -lt 5 ] || exit 1; sleep 0.2 2>/dev/null || sleep 1
done
${startTraefikContainer()}
${offersLiveFiles(config) ? sameDirectory(liveDirectory) : sh`:`}`;
}

function sameDirectory(liveDirectory: string): Shell {
  const mount = `{{range .Mounts}}{{if eq .Destination "${LIVE_MOUNT}"}}{{.Source}}{{end}}{{end}}`;
  return sh`dir=$(docker inspect --type container --format ${mount} ${TRAEFIK})
case $dir in
  ""|${liveDirectory}) ;;
  *) echo "Another run has started Traefik meanwhile, with its live files in $dir: run this again" >&2; exit 1 ;;
esac`;
}

/** The image as it is now, where the registry can be reached: a tag such as v2.11 moves. Else the host's will do. */
export function pullTraefik(config: Config, logIn: Body | undefined): Shell {
  const { image } = config.traefik;
  const pull = docker("pull", image);
  return sh`( ${logIn ? withLogin(pull, logIn) : pull} ) || docker image inspect ${image} >/dev/null 2>&1`;
}

/** The image, where the host has none. */
export function ensureTraefikImage(config: Config, logIn: Body | undefined): Shell {
  return sh`docker image inspect ${config.traefik.image} >/dev/null 2>&1 || ${pullTraefik(config, logIn)}`;
}
