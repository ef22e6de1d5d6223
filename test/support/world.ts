import { createHash } from "node:crypto";
import type { Host } from "../../src/hosts/host.ts";
import {
  type ContainerFact,
  type HostFacts,
  isUp,
  type HostContainer,
  type TraefikFact,
} from "../../src/plan/facts.ts";
import { containerLabels, roleLabels } from "../../src/traefik/labels.ts";
import { type LiveFile, liveFile } from "../../src/traefik/live-file.ts";
import { config, role } from "./config.ts";
import type { FakeHost } from "./fake-host.ts";

// The hosts of a test, described once: `aHost("a").behindTraefik().runs(container("web", 2)).keeps(stopped("web", 1))`.
// `facts()` gives a test of plans the facts of this host; `fake(run)` gives a test of flows a host that prints what docker
// prints there.

export interface ContainerOptions extends Partial<ContainerFact> {
  /** `app` by default. */
  readonly service?: string;
  /** The label `mrsk.id`. */
  readonly mrskId?: string;
}

/**
 * A running container that mrsk started. The role web is behind Traefik, other roles are not. A later version is newer;
 * a version that is no number is as old as version 0. The mrsk.id of version 1 is `aaaaaaaa`, of version 2 `bbbbbbbb`,
 * and so on until 6.
 */
export function container(roleName: string, version: number | string, options: ContainerOptions = {}): ContainerFact {
  const { mrskId = idOf(String(version)), ...others } = options;
  const { labels, ...own } = containerOfMrsk(roleName, version, others);
  return { ...own, labels: others.labels ?? containerLabels(labels, mrskId) };
}

/** A running container that MRSK 0.13.2 started: it has no mrsk.id. */
export function containerOfMrsk(
  roleName: string,
  version: number | string,
  { service = "app", ...overrides }: Omit<ContainerOptions, "mrskId"> = {},
): ContainerFact {
  const { destination } = overrides;
  const prefix = [service, roleName, destination].filter((part) => part !== undefined).join("-");
  const name = overrides.name ?? `${prefix}-${version}`;
  return {
    id: `id-of-${name}`,
    name,
    role: roleName,
    destination,
    state: "running",
    health: "healthy",
    created: new Date(Date.UTC(2026, 0, 1, 0, Number(version) || 0)).toISOString(),
    image: `dhh/app:${version}`,
    restartPolicy: "unless-stopped",
    restartCount: 0,
    labels: roleLabels(config({ service, destination }), role({ name: roleName, traefik: roleName === "web" })),
    ...overrides,
  };
}

/** A stopped container that mrsk started. */
export function stopped(roleName: string, version: number | string, options: ContainerOptions = {}): ContainerFact {
  return container(roleName, version, { state: "exited", ...options });
}

function idOf(version: string): string {
  const letter = "-abcdef"[Number(version)] ?? "-";
  return letter === "-" ? createHash("sha256").update(version).digest("hex").slice(0, 8) : letter.repeat(8);
}

/** Traefik as mrsk starts it. */
export const TRAEFIK: TraefikFact = {
  image: "traefik:v3.7.15",
  state: "running",
  args: ["--providers.docker", "--providers.file.directory=/etc/traefik/mrsk"],
  address: "172.17.0.2",
  networks: ["bridge"],
  mounts: new Map([["/etc/traefik/mrsk", "/root/.mrsk/traefik"]]),
  ports: ["0.0.0.0:80", "127.0.0.1:18082"],
  labels: new Map(),
};

/** A host on which nothing runs yet, with the login user root. */
export function aHost(name = "192.0.2.1"): World {
  return new World({
    host: name,
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
    listenerAddresses: new Map(),
    redirects: true,
    swapLeftovers: [],
    liveDirectory: "/root/.mrsk/traefik",
    liveDirectoryWritable: true,
    liveFiles: new Map(),
    releases: [],
    releasesFull: false,
    canaryRelease: undefined,
    expansions: new Map(),
  });
}

/** The description of one host. It does not change: each method returns another description. */
export class World {
  private readonly seen: HostFacts;
  private readonly others: readonly HostContainer[];

  constructor(seen: HostFacts, others: readonly HostContainer[] = []) {
    this.seen = seen;
    this.others = others;
  }

  /** Adds running containers. @throws Error for a stopped container */
  runs(...containers: readonly ContainerFact[]): World {
    return this.has(containers, true);
  }

  /** Adds stopped containers. @throws Error for a running container */
  keeps(...containers: readonly ContainerFact[]): World {
    return this.has(containers, false);
  }

  private has(containers: readonly ContainerFact[], up: boolean): World {
    const wrong = containers.find((one) => isUp(one) !== up);
    if (wrong) throw new Error(`${wrong.name} is ${wrong.state}`);
    const all = [...this.seen.containers, ...containers];
    return this.with({ containers: all.toSorted((a, b) => Date.parse(b.created) - Date.parse(a.created)) });
  }

  /** Adds Traefik as mrsk starts it, with overrides. */
  behindTraefik(overrides: Partial<TraefikFact> = {}): World {
    return this.with({ traefik: { ...TRAEFIK, ...overrides } });
  }

  /** Adds Traefik as MRSK 0.13.2 starts it: without live files. */
  behindTraefikOfMrsk(): World {
    return this.behindTraefik({ args: ["--providers.docker", "--log.level=DEBUG"], mounts: new Map() });
  }

  /** Adds the live file of the role, which names this container as the live container. */
  routesTo(live: ContainerFact, more: Partial<LiveFile> = {}): World {
    const { service = "app" } = Object.fromEntries(live.labels);
    const name = [service, live.role, live.destination].filter((part) => part !== undefined).join("-");
    return this.withLiveFile(name, liveFile({ name, live, ...more }));
  }

  /** @param name without `.yml` */
  withLiveFile(name: string, text: string): World {
    return this.with({ liveFiles: new Map([...this.seen.liveFiles, [name, text]]) });
  }

  /** Versions that went live, oldest first. */
  released(...versions: readonly string[]): World {
    return this.with({ releases: versions });
  }

  /** Adds a running container of another service, or of none. */
  withNeighbour({ name, labels }: { readonly name: string; readonly labels: Readonly<Record<string, string>> }): World {
    return new World(this.seen, [...this.others, { name, state: "running", labels: new Map(Object.entries(labels)) }]);
  }

  named(name: string): World {
    return this.with({ host: name });
  }

  with(overrides: Partial<HostFacts>): World {
    return new World({ ...this.seen, ...overrides }, this.others);
  }

  facts(): HostFacts {
    return this.seen;
  }

  /** The fake host of this name in the run. It prints what docker and the shell print on this host. */
  fake(run: { host(name: string): Host }): FakeHost {
    const fake = run.host(this.seen.host) as FakeHost;
    for (const [step, printed] of Object.entries(outputs(this.seen, this.others))) {
      fake.replies(new RegExp(`^${step}$`), printed);
    }
    return fake;
  }
}

/** The output of each step of an observation (`src/observe/observation.ts`), by the title of the step. */
function outputs(seen: HostFacts, others: readonly HostContainer[]): Record<string, string> {
  const { traefik, swapLeftovers } = seen;
  const engine = JSON.stringify({ MinAPIVersion: seen.minApiVersion, Arch: seen.architecture });
  const ids = seen.user === "root" ? "uid=0(root)" : `uid=1000(${seen.user})`;
  const probe = `${seen.canProbe ? "yes" : "no"}${seen.runDirectoryWritable ? "" : " closed"}`;
  const inspected = [...seen.containers.map(inspectedContainer), ...(traefik ? inspectedTraefik(traefik) : [])];
  const rules = swapLeftovers.filter((name) => name === "rules");
  const swaps = swapLeftovers.filter((name) => name !== "rules");
  const files = Array.from(seen.liveFiles, ([name, text]) => `${name}\n ${base64(text)}`);
  const curl = seen.imageHasCurl === undefined ? "" : seen.imageHasCurl ? "yes" : "no";
  return {
    "Docker engine": `${seen.engineVersion} ${seen.apiVersion} ${engine}\nclient ${seen.clientApiVersion}\nlog driver ${seen.logDriver}`,
    "Login user": `${ids}\n${seen.home}\n${probe}\n/dev/vda 20000 10000 ${seen.freeDiskMegabytes} 50% /`,
    "Login user's rights": seen.root ? "" : seen.sudo ? "sudo -n" : "none",
    "List containers": swaps.map((name) => `id\t${name}\t\t`).join("\n"),
    "Inspect containers": inspected.join("\n"),
    Listeners: Array.from(seen.listeners, ([port, program]) => listening(port, program)).join("\n"),
    Swap: [...(seen.redirects ? ["redirects"] : []), ...rules].join("\n"),
    "Live files": [seen.liveDirectory, seen.liveDirectoryWritable ? "writable" : "closed", ...files].join("\n"),
    Releases: releases(seen),
    Image: curl,
    Variables: Array.from(seen.expansions, ([name, value]) => `${name} ${base64(value)}`).join("\n"),
    Containers: [...seen.containers, ...others].map(neighbour).join("\n"),
    Traefik: traefik ? inspectedTraefik(traefik).at(-1)! : "",
  };
}

/** A container of the service as `docker inspect` prints it. The role and the destination are labels there. */
function inspectedContainer({ role: own, destination, labels, name, health, ...rest }: ContainerFact): string {
  const all = new Map(labels);
  if (own !== undefined) all.set("role", own);
  if (destination !== undefined) all.set("destination", destination);
  return JSON.stringify({ ...rest, name: `/${name}`, health: health ?? null, labels: Object.fromEntries(all) });
}

/** Docker prints `null` for an empty list. */
function inspectedTraefik({ image, state, args, address, networks, mounts, ports, labels }: TraefikFact): string[] {
  const orNull = <T>(empty: boolean, value: T) => (empty ? null : value);
  const live = mounts.get("/etc/traefik/mrsk");
  const bindings = ports.map((port) => {
    const colon = port.lastIndexOf(":");
    return { HostIp: port.slice(0, colon), HostPort: port.slice(colon + 1) };
  });
  const inspected = {
    image,
    state,
    args: orNull(args.length === 0, args),
    networks: orNull(
      networks.length === 0,
      Object.fromEntries(networks.map((name, i) => [name, { IPAddress: i === 0 ? (address ?? "") : "" }])),
    ),
    mounts: orNull(
      mounts.size === 0,
      Array.from(mounts, ([Destination, Source]) => ({ Source, Destination })),
    ),
    labels: orNull(labels.size === 0, Object.fromEntries(labels)),
    ports: orNull(ports.length === 0, Object.fromEntries(bindings.map((one) => [`${one.HostPort}/tcp`, [one]]))),
  };
  return [`state ${state}`, ...(live === undefined ? [] : [`live ${live}`]), JSON.stringify(inspected)];
}

function neighbour({ name, state, labels }: HostContainer): string {
  return JSON.stringify({ name: `/${name}`, state, labels: Object.fromEntries(labels) });
}

/** A line of `ss -Hltnp`. @param program `nginx (process 12)`, or `another program` for one that only root sees */
function listening(port: number, program: string): string {
  const [, name, pid] = /^(.+) \(process (\d+)\)$/.exec(program) ?? [];
  return `LISTEN 0 511 0.0.0.0:${port} 0.0.0.0:* ${name === undefined ? "" : `users:(("${name}",pid=${pid},fd=6))`}`;
}

function releases({ releases: versions, canaryRelease, releasesFull }: HostFacts): string {
  const lines = versions.map((version) => `1\t2026-01-01T00:00:00Z\t${version}\tsomebody`);
  if (canaryRelease !== undefined) lines.push(`1\t2026-01-02T00:00:00Z\t${canaryRelease}\tsomebody\tcanary`);
  return [...(releasesFull ? Array<string>(100).fill("0") : []), ...lines].join("\n");
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
