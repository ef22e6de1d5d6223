import { DEFAULTS } from "../config/defaults.ts";
import { call } from "../script/call.ts";
import type { Shell } from "../script/command.ts";

/**
 * Waits on the host until docker calls the container healthy, or, where it has no health check, until it has run for
 * `steadySeconds` without a stop. Ends with NOT_HEALTHY and diagnostics on standard error.
 */
export function waitUntilHealthy(
  container: string,
  deadlineSeconds: number,
  steadySeconds: number,
  logLines = DEFAULTS.logLines,
): Shell {
  return call("wait_healthy", container, Math.ceil(deadlineSeconds), Math.ceil(steadySeconds), logLines);
}

export interface PreviewQuestion {
  /** `http://127.0.0.1:18082`, Traefik's own address, or what prints it on the host. */
  readonly base: string | Shell;
  /** The unguessable name that the preview router answers to. */
  readonly hostName: string;
  readonly path: string;
  /** The answer must carry it, or it came from another container. */
  readonly mark: string;
}

function route({ base, hostName, path, mark }: PreviewQuestion): [string | Shell, string, string, string] {
  return [base, hostName, path, mark];
}

/**
 * Probes through Traefik until the container behind the preview answers 2xx with the mark, twice in a row. Ends with
 * NOT_HEALTHY, diagnostics, and why Traefik may not route to it (`hints` among it).
 */
export function waitForPreview(
  container: string,
  question: PreviewQuestion,
  deadlineSeconds: number,
  logLines = DEFAULTS.logLines,
  hints: readonly string[] = [],
): Shell {
  return call("wait_route", container, ...route(question), Math.ceil(deadlineSeconds), logLines, hints);
}

/** For a version that was live before: any response of its own will do. Ends with NOT_HEALTHY. */
export function waitForAnswer(question: PreviewQuestion, deadlineSeconds: number): Shell {
  return call("wait_answer", ...route(question), Math.ceil(deadlineSeconds));
}

/** Probes until responses carry the mark: Traefik has then loaded the file that was written last. */
export function waitForMark(question: PreviewQuestion): Shell {
  return call("wait_revision", ...route(question));
}

/** The same behind a container that may crash meanwhile: then it ends with NOT_HEALTHY and diagnostics. */
export function waitForMarkOf(container: string, question: PreviewQuestion, logLines = DEFAULTS.logLines): Shell {
  return call("wait_canary_revision", container, logLines, ...route(question));
}

/** Waits a few seconds at most until Traefik has noticed that the container behind the preview has stopped. */
export function waitUntilGone({ base, hostName, path }: PreviewQuestion): Shell {
  return call("wait_route_gone", base, hostName, path);
}

/** A container that is watched. */
export interface Watched {
  readonly name: string;
  /** It was started for this deploy, so any restart counts; else only those from now on do. */
  readonly fresh: boolean;
  /** How much of its log is shown when it fails. */
  readonly logLines?: number;
}

/**
 * For `seconds`, none of the containers may restart, exit, be killed for memory or turn unhealthy.
 * Ends with NOT_HEALTHY and diagnostics.
 */
export function watch(containers: readonly Watched[], seconds: number): Shell {
  const watched = containers.flatMap(({ name, fresh, logLines = DEFAULTS.logLines }) => [
    name,
    fresh ? 0 : "now",
    logLines,
  ]);
  return call("watch_containers", Math.ceil(seconds), ...watched);
}

/** Half a minute for an engine that is just starting again. */
export function waitForDocker(): Shell {
  return call("wait_docker");
}
