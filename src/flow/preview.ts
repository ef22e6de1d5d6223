import { PREVIEW_PORT } from "../commands/traefik.ts";
import type { HostFacts } from "../plan/facts.ts";

/** What is asked for of a URL: the preview has an address of its own. */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** The loopback where it is published, else Traefik's own address. */
export function previewBase({ traefik }: HostFacts): string {
  const published = !traefik || traefik.ports.some((port) => port.endsWith(`:${PREVIEW_PORT}`));
  return published || !traefik.address ? `http://127.0.0.1:${PREVIEW_PORT}` : `http://${traefik.address}:8082`;
}
