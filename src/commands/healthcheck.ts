import type { Healthcheck, Role } from "../config/config.ts";
import type { Word } from "../script/command.ts";

/** The URL of the health check. `path` is resolved against `http://localhost:PORT`, so it may be a complete URL. */
export function probeUrl(check: Healthcheck): string {
  const url = new URL(check.path, `http://localhost:${check.port}`);
  return url.href;
}

/** The health check command, which docker runs in the container. */
export function probeCommand(check: Healthcheck): string {
  return check.cmd ?? `curl -f ${probeUrl(check)} || exit 1`;
}

/** Whether docker's health check of the role needs curl in the image. */
export function needsCurl({ healthcheck }: Role): boolean {
  return healthcheck !== undefined && healthcheck.cmd === undefined;
}

/** Flags of `docker run`. `startInterval` needs an engine of API 1.44 or newer. */
export function healthFlags(check: Healthcheck, { startInterval }: { startInterval: boolean }): Word[] {
  const quick = startInterval
    ? ["--health-start-period", `${deadlineSeconds(check)}s`, "--health-start-interval", "200ms"]
    : [];
  return ["--health-cmd", probeCommand(check), "--health-interval", check.interval, ...quick];
}

/** The longest time that MRSK polled: attempt N of `max_attempts` was followed by a pause of N seconds. */
export function deadlineSeconds(check: Healthcheck): number {
  const polling = (check.maxAttempts * (check.maxAttempts + 1)) / 2;
  return Math.ceil(Math.max(polling, check.intervalSeconds * check.maxAttempts));
}
