import type { ContainerFact } from "../../src/plan/facts.ts";
import type { FakeHost } from "./fake-host.ts";

const TRAEFIK = {
  image: "traefik:v3.7.15",
  state: "running",
  args: ["--providers.docker", "--providers.file.directory=/etc/traefik/mrsk"],
  labels: {},
  networks: { bridge: { IPAddress: "172.17.0.2" } },
  mounts: [{ Source: "/root/.mrsk/traefik", Destination: "/etc/traefik/mrsk" }],
  ports: { "80/tcp": [{ HostIp: "", HostPort: "80" }], "8082/tcp": [{ HostIp: "127.0.0.1", HostPort: "18082" }] },
};

/** The host answers a flow's questions as one does where these containers and live files are, behind Traefik. */
export function observed(
  host: FakeHost,
  {
    containers,
    liveFiles = new Map(),
    releases = [],
  }: {
    readonly containers: readonly ContainerFact[];
    readonly liveFiles?: ReadonlyMap<string, string>;
    readonly releases?: readonly string[];
  },
): void {
  const files = Array.from(liveFiles, ([name, text]) => `${name} ${Buffer.from(text).toString("base64")}`);
  const lines = containers.map((fact) =>
    JSON.stringify({
      ...fact,
      name: `/${fact.name}`,
      health: fact.health ?? null,
      labels: Object.fromEntries(labelsOf(fact)),
    }),
  );
  host
    .replies(/^Docker engine$/, "26.1.5 1.45 1.24")
    .replies(/^Login user$/, "0\nroot\n/root\nx86_64\nyes\n10000")
    .replies(/^Containers$/, lines.join("\n"))
    .replies(/^Traefik$/, JSON.stringify(TRAEFIK))
    .replies(/^Live files$/, ["/root/.mrsk/traefik", "writable", ...files].join("\n"))
    .replies(/^Releases$/, releases.map((version) => `1\t2026-01-01T00:00:00Z\t${version}\tsomebody`).join("\n"));
}

/** Facts say the role apart from the labels; docker says it in them. */
function labelsOf({ role, destination, labels }: ContainerFact): Map<string, string> {
  const all = new Map(labels);
  if (role !== undefined) all.set("role", role);
  if (destination !== undefined) all.set("destination", destination);
  return all;
}
