import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { lines, type Shell, sh } from "../script/command.ts";
import { type Step, step } from "../script/script.ts";
import { TRAEFIK } from "../shell/constants.ts";

/** Docker's default network, of every container that names no other. */
const DEFAULT_NETWORK = "bridge";

/** Creates the network if it is missing. Two concurrent runs create one network. */
export function ensureNetwork(name: string): Shell {
  return call("make_network", name);
}

/** Empty if `network` is not set. */
export function networkSteps({ network }: Config): Step[] {
  return network === undefined ? [] : [step("Create the network", ensureNetwork(network))];
}

/**
 * Connects a container to networks that it is not on. Its open connections continue, unless the new network's name sorts
 * before all of its networks: then docker changes the container's default route (`joinInterrupts`).
 */
export function joinNetworks(container: string, ...networks: readonly string[]): Shell {
  return call("join_networks", container, networks);
}

/** Docker routes a container's traffic through the network whose name is first in byte order (observed on 20.10 and 26.1). */
export function joinInterrupts(network: string, present: readonly string[]): boolean {
  return present.every((name) => Buffer.compare(Buffer.from(network), Buffer.from(name)) < 0);
}

/** Connects a new Traefik to `network`, and to docker's default network: other services and old containers may use it. */
export function joinNewTraefik({ network }: Config, container: string = TRAEFIK): Shell {
  return network === undefined ? sh`:` : joinNetworks(container, network, DEFAULT_NETWORK);
}

/** Connects the new Traefik to every network of the running one: other services connected it to theirs. */
export function joinAsBefore(config: Config, container: string): Shell {
  return lines(joinNewTraefik(config, container), call("join_as_before", container));
}
