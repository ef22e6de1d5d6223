import { containerLabels, roleLabels } from "../../src/traefik/labels.ts";
import type { Config, Role } from "../../src/config/config.ts";
import type { FakeHost } from "./fake-host.ts";
import { answersLook, TRAEFIK } from "./look.ts";

export interface Seen {
  readonly name: string;
  readonly role?: string;
  readonly destination?: string;
  readonly state?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Lets a fake host answer the look at it: these containers of the service, newest first, and Traefik if it runs. */
export function observed(host: FakeHost, containers: readonly Seen[] = [], { traefik = false } = {}): FakeHost {
  return answersLook(host, { containers: containers.map(inspected), traefik: traefik ? TRAEFIK : undefined });
}

function inspected({ name, role = "web", destination, state = "running", labels = {} }: Seen, index: number): object {
  const own = { service: "app", role, ...(destination === undefined ? {} : { destination }) };
  return {
    id: `id-of-${name}`,
    name: `/${name}`,
    created: new Date(Date.UTC(2026, 0, 100 - index)).toISOString(),
    state,
    health: null,
    image: "dhh/app:1",
    restartPolicy: "unless-stopped",
    restartCount: 0,
    labels: { ...own, ...labels },
  };
}

/** The labels of a container that mrsk started behind a live file. */
export function ownLabels(config: Config, role: Role, id = "0123abcd"): Record<string, string> {
  return Object.fromEntries(containerLabels(roleLabels(config, role), id));
}
