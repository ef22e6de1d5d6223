import { DEFAULTS } from "../config/defaults.ts";
import { call } from "../script/call.ts";
import type { Shell } from "../script/command.ts";

/**
 * Waits on the host until docker reports the container healthy or, without a health check, until it has run for
 * `steadySeconds`. Exits with NOT_HEALTHY and diagnostics on standard error.
 */
export function waitUntilHealthy(
  container: string,
  deadlineSeconds: number,
  steadySeconds: number,
  logLines = DEFAULTS.logLines,
): Shell {
  return call("wait_healthy", container, Math.ceil(deadlineSeconds), Math.ceil(steadySeconds), logLines);
}

export interface ProbeRoute {
  /** The URL of the probe entry point, `http://127.0.0.1:18082`, or shell that prints it on the host. */
  readonly base: string | Shell;
  /** The random host name that the router matches. */
  readonly hostName: string;
  readonly path: string;
  /** A response without it came from another container, or before Traefik loaded the file. */
  readonly revision: string;
}

function routeArguments({ base, hostName, path, revision }: ProbeRoute): [string | Shell, string, string, string] {
  return [base, hostName, path, revision];
}

/** The limits of the probes of a container. */
export interface ProbeLimits {
  /** For all probes together. */
  readonly deadlineSeconds: number;
  /** For one probe. */
  readonly timeoutSeconds?: number | undefined;
  /** From a bad answer of the app to the next probe. */
  readonly intervalSeconds?: number | undefined;
}

/**
 * Probes through Traefik until the container answers twice in a row with a 2xx and the revision. Exits with NOT_HEALTHY,
 * diagnostics, and the reasons why Traefik may not route to it, `hints` included.
 */
export function waitForProbeRoute(
  container: string,
  probe: ProbeRoute,
  { deadlineSeconds, timeoutSeconds = DEFAULTS.probeTimeoutSeconds, intervalSeconds = 0 }: ProbeLimits,
  logLines = DEFAULTS.logLines,
  hints: readonly string[] = [],
): Shell {
  const limits = [timeoutSeconds, intervalSeconds, deadlineSeconds].map((seconds) => Math.ceil(seconds));
  return call("wait_route", container, ...routeArguments(probe), ...limits, logLines, hints);
}

/** The same for a version that was live before: any response of the app is enough. Exits with NOT_HEALTHY. */
export function waitForAnswer(probe: ProbeRoute, deadlineSeconds: number): Shell {
  return call("wait_answer", ...routeArguments(probe), Math.ceil(deadlineSeconds));
}

/** Probes until the responses carry the revision: then Traefik has loaded the live file. Exits with NOT_LOADED. */
export function waitForRevision(probe: ProbeRoute): Shell {
  return call("wait_revision", ...routeArguments(probe));
}

/** The same for a canary, which may crash during the wait: then exits with NOT_HEALTHY and diagnostics. */
export function waitForCanaryRevision(container: string, probe: ProbeRoute, logLines = DEFAULTS.logLines): Shell {
  return call("wait_canary_revision", container, logLines, ...routeArguments(probe));
}

/** Waits up to 5 s until Traefik no longer routes to the stopped container behind the probe route. */
export function waitForRouteGone({ base, hostName, path }: ProbeRoute): Shell {
  return call("wait_route_gone", base, hostName, path);
}

/** A container to watch. */
export interface Watched {
  readonly name: string;
  /** Whether this deploy started it: then every restart counts, otherwise only restarts from now on. */
  readonly fresh: boolean;
  /** How many lines of its log to print when it fails. */
  readonly logLines?: number;
}

/**
 * Watches the containers for `seconds`: none may restart, exit, run out of memory or turn unhealthy. Exits with
 * NOT_HEALTHY and diagnostics.
 */
export function watch(containers: readonly Watched[], seconds: number): Shell {
  const watched = containers.flatMap(({ name, fresh, logLines = DEFAULTS.logLines }) => [
    name,
    fresh ? 0 : "now",
    logLines,
  ]);
  return call("watch_containers", Math.ceil(seconds), ...watched);
}

/** Waits up to 30 s for an engine that is restarting. */
export function waitForDocker(): Shell {
  return call("wait_docker");
}
