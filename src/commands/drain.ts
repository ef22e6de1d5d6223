import type { Role } from "../config/config.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { call } from "../script/call.ts";
import type { Hole, Shell } from "../script/command.ts";

export interface DrainOptions {
  /** The app's ports, in addition to those that its image exposes. */
  readonly ports: readonly number[];
  readonly limitSeconds: number;
  /** For how long the container has already had no new requests: subtracted from the limit. */
  readonly pastSeconds?: number;
  /** A connection that got data less than this ago may be a stream between two messages. */
  readonly recentMilliseconds: number;
  /** The command that enters a network namespace, with `sudo -n` if needed; undefined: the user may not observe connections. */
  readonly nsenter: readonly string[] | undefined;
}

/** The app's ports according to its health check and labels. */
export function listeningPorts(role: Role): number[] {
  const labelled = [...role.labels].filter(([name]) => /\.loadbalancer\.server\.port$/i.test(name));
  const ports = [role.healthcheck?.port ?? DEFAULTS.healthcheck.port, ...labelled.map(([, port]) => Number(port))];
  return [...new Set(ports)].filter((port) => port > 0);
}

/** Shorter if Traefik has its own health check of the service: every check would count as a message of a stream. */
export function recentMilliseconds(role: Role): number {
  return [...role.labels.keys()].some((name) => /\.loadbalancer\.healthcheck\./i.test(name)) ? 300 : 3500;
}

/** The drain of a login user who may not observe connections. */
const FIXED_DRAIN_SECONDS = 10;

/**
 * Waits until the container has no open request, `limitSeconds` at most. Waits a fixed time if the login user may not
 * observe its connections. Prints a line in that case, and if connections are still busy at the limit.
 */
export function drain(
  container: Hole,
  { ports, limitSeconds, pastSeconds = 0, recentMilliseconds: recent, nsenter }: DrainOptions,
): Shell {
  const [limit, past] = [Math.ceil(limitSeconds), Math.floor(pastSeconds)];
  if (!nsenter) return call("drain_by_time", Math.max(0, Math.min(limit, FIXED_DRAIN_SECONDS) - past));
  return call("drain_container", container, limit, past, recent, nsenter.join(" "), ports);
}
