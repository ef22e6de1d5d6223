import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { lines, type Shell, sh } from "../script/command.ts";
import { type Step, step } from "../script/script.ts";
import { TRAEFIK } from "../shell/constants.ts";

/** Docker's own, where every container is that names no other. */
const DEFAULT_NETWORK = "bridge";

/** The network, made where it is absent. Two at once end with one. */
export function ensureNetwork(name: string): Shell {
  return call("make_network", name);
}

/** Nothing where `network` is not set. */
export function networkSteps({ network }: Config): Step[] {
  return network === undefined ? [] : [step("Make the network", ensureNetwork(network))];
}

/**
 * Puts a container on networks that it is not on. Who is asked through it is not disturbed, unless the name comes before
 * all that it is on: docker then makes the new network its way out, and cuts what is under way (`joinCuts`).
 */
export function joinNetworks(container: string, ...networks: readonly string[]): Shell {
  return call("join_networks", container, networks);
}

/** Docker's way out of a container is the network whose name is the first in byte order (seen on 20.10 and 26.1). */
export function joinInterrupts(network: string, present: readonly string[]): boolean {
  return present.every((name) => Buffer.compare(Buffer.from(network), Buffer.from(name)) < 0);
}

/** A new Traefik reaches the containers of `network`, and those that name none: other services', and the old ones of this. */
export function joinNewTraefik({ network }: Config, container: string = TRAEFIK): Shell {
  return network === undefined ? sh`:` : joinNetworks(container, network, DEFAULT_NETWORK);
}

/** The container that is to replace Traefik is on every network that the old one is on: other services put it there. */
export function joinAsBefore(config: Config, container: string): Shell {
  return lines(joinNewTraefik(config, container), call("join_as_before", container));
}
