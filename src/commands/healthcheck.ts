import type { Healthcheck, Role } from "../config/config.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { Word } from "../script/command.ts";

/** The URL of the health check. `path` is resolved against `http://localhost:PORT`, so it may be a complete URL. */
export function probeUrl(check: Healthcheck): string {
  const url = new URL(check.path, `http://localhost:${check.port}`);
  return url.href;
}

/** The health check command, which docker runs in the container. */
function probeCommand(check: Healthcheck): string {
  return check.cmd ?? `curl -f ${probeUrl(check)} || exit 1`;
}

/** Whether docker's health check of the role needs curl in the image. */
export function needsCurl({ healthcheck }: Role): boolean {
  return healthcheck !== undefined && healthcheck.cmd === undefined;
}

/** Flags of `docker run`. `startInterval` needs an engine of API 1.44 or newer. */
export function healthFlags(
  check: Healthcheck,
  { startInterval, deployTimeoutSeconds }: { startInterval: boolean; deployTimeoutSeconds?: number | undefined },
): Word[] {
  const quick = startInterval
    ? ["--health-start-period", `${deadlineSeconds(check, deployTimeoutSeconds)}s`, "--health-start-interval", "200ms"]
    : [];
  const timeout = check.timeoutSeconds === undefined ? [] : ["--health-timeout", `${check.timeoutSeconds}s`];
  return ["--health-cmd", probeCommand(check), "--health-interval", check.interval, ...timeout, ...quick];
}

/**
 * The time that a container may take to become healthy: the longest time that MRSK polled, where attempt N of
 * `max_attempts` was followed by a pause of N seconds. A role without a check gets the time of the default attempts.
 * @param deployTimeoutSeconds replaces the time of the attempts
 */
export function deadlineSeconds(check: Healthcheck | undefined, deployTimeoutSeconds?: number): number {
  if (deployTimeoutSeconds !== undefined) return deployTimeoutSeconds;
  const attempts = check?.maxAttempts ?? DEFAULTS.healthcheck.maxAttempts;
  return Math.ceil(Math.max((attempts * (attempts + 1)) / 2, attempts * (check?.intervalSeconds ?? 0)));
}
