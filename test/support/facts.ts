import type { ContainerFact, HostFacts, TraefikFact } from "../../src/plan/facts.ts";

/** A host on which nothing runs yet. */
export function facts(overrides: Partial<HostFacts> = {}): HostFacts {
  return {
    host: "192.0.2.1",
    home: "/root",
    user: "root",
    root: true,
    sudo: true,
    architecture: "amd64",
    engineVersion: "26.1.5",
    apiVersion: "1.45",
    clientApiVersion: "1.45",
    logDriver: "json-file",
    minApiVersion: "1.24",
    freeDiskMegabytes: 10_000,
    runDirectoryWritable: true,
    canProbe: true,
    imageHasCurl: undefined,
    containers: [],
    traefik: undefined,
    listeners: new Map(),
    redirects: true,
    swapLeftovers: [],
    liveDirectory: "/root/.mrsk/traefik",
    liveDirectoryWritable: true,
    liveFiles: new Map(),
    releases: [],
    releasesFull: false,
    canaryRelease: undefined,
    expansions: new Map(),
    ...overrides,
  };
}

/** A running container of the role web, as the original or an id of ours labels it. */
export function container(name: string, overrides: Partial<ContainerFact> = {}, id?: string): ContainerFact {
  const service = id === undefined ? "app-web" : `app-web-${id}`;
  return {
    id: `id-of-${name}`,
    name,
    role: "web",
    destination: undefined,
    state: "running",
    health: "healthy",
    created: "2026-01-01T00:00:00Z",
    image: "dhh/app:1",
    restartPolicy: "unless-stopped",
    restartCount: 0,
    labels: new Map([
      ["service", "app"],
      ["role", "web"],
      ...(id === undefined ? [] : [["mrsk.id", id] as const]),
      [`traefik.http.services.${service}.loadbalancer.server.scheme`, "http"],
      ["traefik.http.routers.app-web.rule", "PathPrefix(`/`)"],
    ]),
    ...overrides,
  };
}

/** Traefik as mrsk starts it. */
export function traefik(overrides: Partial<TraefikFact> = {}): TraefikFact {
  return {
    image: "traefik:v3.7.15",
    state: "running",
    args: ["--providers.docker", "--providers.file.directory=/etc/traefik/mrsk"],
    address: "172.17.0.2",
    networks: ["bridge"],
    mounts: new Map([["/etc/traefik/mrsk", "/root/.mrsk/traefik"]]),
    ports: ["0.0.0.0:80", "127.0.0.1:18082"],
    labels: new Map(),
    ...overrides,
  };
}
