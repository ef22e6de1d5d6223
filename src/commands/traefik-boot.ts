import type { Config } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { call } from "../script/call.ts";
import { type Body, docker, type Shell, sh } from "../script/command.ts";
import { joinNewTraefik } from "./network.ts";
import { withLogin } from "./registry.ts";
import {
  findTlsPort,
  LIVE_MOUNT,
  offersLiveFiles,
  runTraefik,
  startTraefikContainer,
  type TraefikHost,
} from "./traefik.ts";

/** Creates the directory of live files before docker creates it as root. */
function makeLiveDirectory(directory: string): Shell {
  return call("make_live_directory", directory);
}

/**
 * Answers requests that match no router with 503: unlike Traefik's 404, no cache stores it. Priority -1 is below every
 * other router, whose default priority is the length of its rule. No role's live file has this name: theirs have a dash.
 */
const UNAVAILABLE = `http:
  routers:
    unavailable: { rule: "PathPrefix(\`/\`)", priority: -1, service: unavailable }
    unavailable-tls: { rule: "PathPrefix(\`/\`)", priority: -1, service: unavailable, tls: {} }
  services:
    unavailable: { loadBalancer: { servers: [] } }
`;

/** Creates the directory, and in it the file for unmatched requests. Skips the file if the login user cannot write there. */
export function prepareLiveDirectory(directory: string): Shell {
  return call("prepare_live_directory", directory, UNAVAILABLE);
}

/**
 * Runs a new Traefik, or starts the stopped container. Two concurrent first deploys create one Traefik: only one run gets
 * the name, and the other waits for its container. Fails if that Traefik reads other live files.
 */
export function startOrRunTraefik(
  config: Config,
  host: TraefikHost,
  secrets: ReadonlyMap<string, Secret>,
  options: { publishProbePort?: boolean } = {},
): Shell {
  const { liveDirectory } = host;
  return sh`${offersLiveFiles(config) ? prepareLiveDirectory(liveDirectory) : makeLiveDirectory(liveDirectory)}
${findTlsPort(config)}
if made=$(${runTraefik(config, host, secrets, options)}); then ${joinNewTraefik(config)}; exit 0; fi
if [ -n "$made" ]; then docker rm -f "$made" >/dev/null; exit 1; fi
${call("wait_other_traefik")}
${startTraefikContainer()}
${offersLiveFiles(config) ? call("check_live_directory", LIVE_MOUNT, liveDirectory) : sh`:`}`;
}

/** Pulls the image, since a tag such as v2.11 moves. If the registry cannot be reached, an image on the host is enough. */
export function pullTraefik(config: Config, logIn: Body | undefined): Shell {
  const { image } = config.traefik;
  const pull = docker("pull", image);
  return sh`( ${logIn ? withLogin(pull, logIn) : pull} ) || docker image inspect ${image} >/dev/null 2>&1`;
}

/** Pulls the image if the host does not have it. */
export function ensureTraefikImage(config: Config, logIn: Body | undefined): Shell {
  return sh`docker image inspect ${config.traefik.image} >/dev/null 2>&1 || ${pullTraefik(config, logIn)}`;
}
