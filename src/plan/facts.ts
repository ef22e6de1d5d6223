import { LIVE_MOUNT } from "../commands/traefik.ts";

/** What was seen on one host. Everything a plan is made from; nothing else is asked. */
export interface HostFacts {
  readonly host: string;
  /** Absolute path of the login directory. */
  readonly home: string;
  readonly user: string;
  readonly root: boolean;
  /** `sudo` works without a password. */
  readonly sudo: boolean;
  /** The engine's, as docker calls it: `amd64`, `arm64`. */
  readonly architecture: string | undefined;
  readonly engineVersion: string;
  /** e.g. 1.41. */
  readonly apiVersion: string;
  /** The API that the host's docker command and the engine have in common: an old command does not know a new engine's options. */
  readonly clientApiVersion: string;
  /** Of containers that name none; undefined where the engine does not say. */
  readonly logDriver: string | undefined;
  /** The oldest API it still speaks; undefined where it does not say. */
  readonly minApiVersion: string | undefined;
  readonly freeDiskMegabytes: number | undefined;
  /** Whether the login user can write in (or create) the run directory in its home. */
  readonly runDirectoryWritable: boolean;
  /** curl or wget is there: one of them asks the preview. */
  readonly canProbe: boolean;
  /** Whether docker's health check can run in the image of the version; undefined: not asked, or no such image here. */
  readonly imageHasCurl: boolean | undefined;
  /** Every container with the service's label, newest first. */
  readonly containers: readonly ContainerFact[];
  readonly traefik: TraefikFact | undefined;
  /** Who listens on a TCP port, in words. Looked at only where no Traefik runs. */
  readonly listeners: ReadonlyMap<number, string>;
  /** Whether the login user may add rules to the packet filter. */
  readonly redirects: boolean;
  /** What an interrupted `traefik reboot` has left: containers, `rules`. */
  readonly swapLeftovers: readonly string[];
  /** Absolute: where Traefik's live files are, or would be. */
  readonly liveDirectory: string;
  /** Whether the login user can write there (or create it), with sudo if need be. */
  readonly liveDirectoryWritable: boolean;
  /** Text of the service's live files by name without `.yml`. */
  readonly liveFiles: ReadonlyMap<string, string>;
  /** Versions that went live here, oldest first; empty where only the original deployed. */
  readonly releases: readonly string[];
  /** Whether their file is to be made shorter. */
  readonly releasesFull: boolean;
  /** The version that this host has on trial while others stay. No release until it is promoted. */
  readonly canaryRelease: string | undefined;
  /** Values of the `${NAME}`s that labels, options and volumes use. */
  readonly expansions: ReadonlyMap<string, string>;
}

export interface ContainerFact {
  /** Docker's id. */
  readonly id: string;
  readonly name: string;
  readonly role: string | undefined;
  /** undefined: none, which is a value too. */
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

export interface TraefikFact {
  readonly image: string;
  readonly state: string;
  readonly args: readonly string[];
  readonly address: string | undefined;
  /** Names of the networks it is on. */
  readonly networks: readonly string[];
  /** Host path by path in the container. */
  readonly mounts: ReadonlyMap<string, string>;
  /** Host side of published ports: `0.0.0.0:80`. */
  readonly ports: readonly string[];
  readonly labels: ReadonlyMap<string, string>;
}

/** A container of anybody's on a host. */
export interface Neighbour {
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
