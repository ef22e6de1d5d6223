import { findProbeBase } from "../../commands/probe.ts";
import type { Shell } from "../../script/command.ts";
import type { ProbeRoute } from "../../commands/waits.ts";
import { probeUrl } from "../../commands/healthcheck.ts";
import { ID_LABEL } from "../../traefik/labels.ts";
import { PROBE_PORT } from "../../commands/traefik.ts";
import type { Role } from "../../config/config.ts";
import type { HostPlan, NextContainer } from "../../plan/deploy.ts";
import { PROBE_ENTRY_POINT } from "../../shell/constants.ts";

/** The requests that probe the next container of a role through Traefik before it is live. */
export function probeRoute(host: HostPlan, role: Role, next: NextContainer, hostName: string): ProbeRoute {
  return {
    base: probeBase(host),
    hostName,
    path: probePath(role),
    revision: `${next.labels.get(ID_LABEL) ?? "original"}.1`,
  };
}

/** The URL of Traefik's probe entry point: on the loopback if Traefik publishes it there, else at the container's address. */
export function probeBase(host: Pick<HostPlan, "facts" | "traefik">): string | Shell {
  const { traefik } = host.facts;
  // A Traefik that this run starts may get another address, or another program may have the port.
  if (!traefik || host.traefik.action === "run" || host.traefik.action === "start") return findProbeBase();
  if (traefik.ports.some((port) => port.endsWith(`:${PROBE_PORT}`))) return `http://127.0.0.1:${PROBE_PORT}`;
  return `http://${traefik.address ?? "127.0.0.1"}:${PROBE_ENTRY_POINT}`;
}

/** The health check's path and query. */
function probePath({ healthcheck }: Role): string {
  if (!healthcheck) return "/";
  const { pathname, search } = new URL(probeUrl(healthcheck));
  return pathname + search;
}
