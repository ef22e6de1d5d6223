import type { PreviewQuestion } from "../commands/cutover.ts";
import { probeUrl } from "../commands/healthcheck.ts";
import { ID_LABEL } from "../commands/labels.ts";
import { PREVIEW_PORT } from "../commands/traefik.ts";
import type { Role } from "../config/config.ts";
import type { NextContainer } from "../plan/deploy.ts";
import type { HostFacts } from "../plan/facts.ts";

/** How the next container of a role is asked for before it is live. */
export function previewQuestion(facts: HostFacts, role: Role, next: NextContainer, hostName: string): PreviewQuestion {
  return {
    base: previewBase(facts),
    hostName,
    path: role.healthcheck ? pathOf(probeUrl(role.healthcheck)) : "/",
    mark: `${next.labels.get(ID_LABEL) ?? "original"}.1`,
  };
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** The loopback where it is published, else Traefik's own address. */
export function previewBase({ traefik }: HostFacts): string {
  const published = !traefik || traefik.ports.some((port) => port.endsWith(`:${PREVIEW_PORT}`));
  return published || !traefik.address ? `http://127.0.0.1:${PREVIEW_PORT}` : `http://${traefik.address}:8082`;
}
