import { LIVE_MOUNT } from "../commands/traefik.ts";

/** The facts of one host: the only input of a plan besides the configuration. */
export interface HostFacts {
  readonly host: string;
  /** Absolute path of the login directory. */
  readonly home: string;
  readonly user: string;
  readonly root: boolean;
  /** `sudo` works without a password. */
  readonly sudo: boolean;
  /** Of the engine, in docker's words: `amd64`, `arm64`. */
  readonly architecture: string | undefined;
  readonly engineVersion: string;
  /** The newest API of the engine, such as `1.41`. */
  readonly apiVersion: string;
  /** The API that the docker command negotiates with the engine: an old command lacks options of a new engine. */
  readonly clientApiVersion: string;
  /** The default log driver; undefined if the engine does not report it. */
  readonly logDriver: string | undefined;
  /** The oldest API of the engine; undefined if it does not report it. */
  readonly minApiVersion: string | undefined;
  readonly freeDiskMegabytes: number | undefined;
  /** Whether the login user can write in (or create) the run directory in its home. */
  readonly runDirectoryWritable: boolean;
  /** Whether the host has curl or wget, for probes. */
  readonly canProbe: boolean;
  /** Whether docker's health check can run in the image of the version; undefined: not tried, or the host does not have the image. */
  readonly imageHasCurl: boolean | undefined;
  /** Every container with the service's label, newest first. */
  readonly containers: readonly ContainerFact[];
  readonly traefik: TraefikFact | undefined;
  /** The program that listens on each TCP port, as text. Read only if no Traefik runs. */
  readonly listeners: ReadonlyMap<number, string>;
  /** The addresses of those ports on which no program listens at all addresses. IPv6 without brackets. */
  readonly listenerAddresses: ReadonlyMap<number, readonly string[]>;
  /** Whether the login user may add rules to the packet filter. */
  readonly redirects: boolean;
  /** Leftovers of an interrupted `traefik reboot`: names of containers, `rules`. */
  readonly swapLeftovers: readonly string[];
  /** Absolute path of the directory of live files, existing or not. */
  readonly liveDirectory: string;
  /** Whether the login user can write in it, or create it, if necessary with sudo. */
  readonly liveDirectoryWritable: boolean;
  /** Text of the service's live files by name without `.yml`. Empty for a certificate file, which may contain a key. */
  readonly liveFiles: ReadonlyMap<string, string>;
  /** Versions that became live on this host, oldest first; empty if only MRSK deployed here. */
  readonly releases: readonly string[];
  /** Whether the file of these versions needs trimming. */
  readonly releasesFull: boolean;
  /** The version of a canary by host. Not among `releases` until it is promoted. */
  readonly canaryRelease: string | undefined;
  /** Values of the `${NAME}` expressions in labels, options and volumes. */
  readonly expansions: ReadonlyMap<string, string>;
}

export interface ContainerFact {
  /** Docker's id. */
  readonly id: string;
  readonly name: string;
  readonly role: string | undefined;
  /** undefined: deployed without a destination. */
  readonly destination: string | undefined;
  /** `running`, `exited`, `created`, `restarting`, `paused`, `dead`. */
  readonly state: string;
  /** undefined without a health check. */
  readonly health: string | undefined;
  /** ISO 8601. */
  readonly created: string;
  readonly image: string;
  readonly restartPolicy: string;
  readonly restartCount: number;
  readonly labels: ReadonlyMap<string, string>;
}

/** A weighted canary: a container that gets, or got, a percentage of a role's requests. */
export interface CanaryFact {
  /** Running or stopped. If it has stopped, the live container gets every request. */
  readonly container: ContainerFact;
  /** Of the requests; 0 while the canary is being removed. */
  readonly percent: number;
}

export interface TraefikFact {
  readonly image: string;
  readonly state: string;
  readonly args: readonly string[];
  readonly address: string | undefined;
  /** Names of its networks. */
  readonly networks: readonly string[];
  /** Host path by path in the container. */
  readonly mounts: ReadonlyMap<string, string>;
  /** Host side of published ports: `0.0.0.0:80`. */
  readonly ports: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

/** Any container on a host. */
export interface HostContainer {
  readonly name: string;
  /** As for `ContainerFact`. */
  readonly state: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** Whether this Traefik reads live files, from a directory that is mounted. */
export function readsLiveFiles(traefik: TraefikFact): boolean {
  return (
    traefik.mounts.has(LIVE_MOUNT) &&
    traefik.args.some((arg) => arg.toLowerCase() === `--providers.file.directory=${LIVE_MOUNT}`)
  );
}

export function isUp(container: ContainerFact): boolean {
  return container.state === "running" || container.state === "restarting";
}
