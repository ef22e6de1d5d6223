import { containerLabels, roleLabels } from "../../src/commands/labels.ts";
import type { Config, Role } from "../../src/config/config.ts";
import type { FakeHost } from "./fake-host.ts";

export interface Seen {
  readonly name: string;
  readonly role?: string;
  readonly destination?: string;
  readonly state?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Lets a fake host answer the look at it: these containers of the service, newest first, and Traefik if it runs. */
export function observed(host: FakeHost, containers: readonly Seen[] = [], { traefik = false } = {}): FakeHost {
  host
    .replies(/^Docker engine$/, "26.1.5 1.45")
    .replies(/^Login user$/, "0\nroot\n/root\nx86_64\nyes\n10000")
    .replies(/^Live files$/, "/root/.mrsk/traefik\nwritable")
    .replies(/^Containers$/, containers.map(inspected).join("\n"));
  return traefik ? host.replies(/^Traefik$/, TRAEFIK) : host;
}

const TRAEFIK = JSON.stringify({
  image: "traefik:v3.7.15",
  state: "running",
  args: ["--providers.docker", "--providers.file.directory=/etc/traefik/mrsk"],
  networks: { bridge: { IPAddress: "172.17.0.2" } },
  labels: {},
  mounts: [{ Source: "/root/.mrsk/traefik", Destination: "/etc/traefik/mrsk" }],
  ports: { "80/tcp": [{ HostIp: "", HostPort: "80" }], "8082/tcp": [{ HostIp: "127.0.0.1", HostPort: "18082" }] },
});

function inspected({ name, role = "web", destination, state = "running", labels = {} }: Seen, index: number): string {
  const own = { service: "app", role, ...(destination === undefined ? {} : { destination }) };
  return JSON.stringify({
    id: `id-of-${name}`,
    name: `/${name}`,
    created: new Date(Date.UTC(2026, 0, 100 - index)).toISOString(),
    state,
    health: null,
    image: "dhh/app:1",
    restartPolicy: "unless-stopped",
    restartCount: 0,
    labels: { ...own, ...labels },
  });
}

/** The labels of a container that mrsk started behind a live file. */
export function ownLabels(config: Config, role: Role, id = "0123abcd"): Record<string, string> {
  return Object.fromEntries(containerLabels(roleLabels(config, role), id));
}
