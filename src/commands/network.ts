import type { Config } from "../config/config.ts";
import { docker, lines, type Shell, sh } from "./command.ts";
import { type Step, step } from "./script.ts";
import { TRAEFIK } from "./traefik.ts";

/** Docker's own, where every container is that names no other. */
const DEFAULT_NETWORK = "bridge";

/** The network, made where it is absent. Two at once end with one. */
export function ensureNetwork(name: string): Shell {
  return sh`docker network inspect ${name} >/dev/null 2>&1 || ${docker("network", "create", name)} >/dev/null || docker network inspect ${name} >/dev/null`;
}

/** Nothing where `network` is not set. */
export function networkSteps({ network }: Config): Step[] {
  return network === undefined ? [] : [step("Make the network", ensureNetwork(network))];
}

/**
 * Puts Traefik on networks that it is not on. Who is asked through it is not disturbed, unless the name comes before all
 * that it is on: docker then makes the new network its way out, and cuts what is under way (`joinCuts`).
 */
export function joinTraefik(...networks: readonly string[]): Shell {
  return lines(
    ...networks.map((name) => {
      // A container on the host's own network reaches all others.
      const there = `{{with .NetworkSettings.Networks}}{{if or (index . "${name}") (index . "host")}}yes{{end}}{{end}}`;
      return sh`[ "$(docker inspect --type container --format ${there} ${TRAEFIK})" = yes ] || ${docker("network", "connect", name, TRAEFIK)}`;
    }),
  );
}

/** Docker's way out of a container is the network whose name is the first in byte order (seen on 20.10 and 26.1). */
export function joinCuts(network: string, present: readonly string[]): boolean {
  return present.every((name) => Buffer.compare(Buffer.from(network), Buffer.from(name)) < 0);
}

/** A new Traefik reaches the containers of `network`, and those that name none: other services', and the old ones of this. */
export function joinNewTraefik({ network }: Config): Shell {
  return network === undefined ? sh`:` : joinTraefik(network, DEFAULT_NETWORK);
}
