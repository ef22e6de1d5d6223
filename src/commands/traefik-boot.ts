import type { Config } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { call } from "../script/call.ts";
import { type Body, docker, type Shell, sh } from "../script/command.ts";
import { joinNewTraefik } from "./network.ts";
import { withLogin } from "./registry.ts";
import { LIVE_MOUNT, offersLiveFiles, runTraefik, startTraefikContainer, type TraefikHost } from "./traefik.ts";

/** The directory of live files, before docker makes it as root. */
function makeLiveDirectory(directory: string): Shell {
  return call("make_live_directory", directory);
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
  return call("prepare_live_directory", directory, UNAVAILABLE);
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
${call("await_other_traefik")}
${startTraefikContainer()}
${offersLiveFiles(config) ? call("check_live_directory", LIVE_MOUNT, liveDirectory) : sh`:`}`;
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
