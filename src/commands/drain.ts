import type { Role } from "../config/config.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { call } from "../script/call.ts";
import type { Hole, Shell } from "../script/command.ts";

export interface DrainOptions {
  /** Where the app listens, beside the ports that its image exposes. */
  readonly ports: readonly number[];
  readonly limitSeconds: number;
  /** How long the container has had no new requests already: time that is not waited for twice. */
  readonly pastSeconds?: number;
  /** A connection that was answered less than this ago may be a stream between two messages. */
  readonly recentMilliseconds: number;
  /** The command that enters a network namespace, `sudo -n` in front where needed; undefined: the user may not look. */
  readonly nsenter: readonly string[] | undefined;
}

/** Where the app listens, as health check and labels have it. */
export function listeningPorts(role: Role): number[] {
  const labelled = [...role.labels].filter(([name]) => /\.loadbalancer\.server\.port$/i.test(name));
  const ports = [role.healthcheck?.port ?? DEFAULTS.healthcheck.port, ...labelled.map(([, port]) => Number(port))];
  return [...new Set(ports)].filter((port) => port > 0);
}

/** Traefik's own health checks of a service would look like a stream whose messages are a second apart. */
export function recentMilliseconds(role: Role): number {
  return [...role.labels.keys()].some((name) => /\.loadbalancer\.healthcheck\./i.test(name)) ? 300 : 3500;
}

/** Where the login user may not see the connections. */
const FIXED_DRAIN_SECONDS = 10;

/**
 * Waits until nothing is under way in the container, `limitSeconds` at most; a fixed time where the login user may not
 * see its connections. Prints what was not as it should be.
 */
export function drain(
  container: Hole,
  { ports, limitSeconds, pastSeconds = 0, recentMilliseconds: recent, nsenter }: DrainOptions,
): Shell {
  const [limit, past] = [Math.ceil(limitSeconds), Math.floor(pastSeconds)];
  if (!nsenter) return call("drain_blindly", Math.max(0, Math.min(limit, FIXED_DRAIN_SECONDS) - past));
  return call("drain_container", container, limit, past, recent, nsenter.join(" "), ports);
}
