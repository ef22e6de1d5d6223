import type { Secret } from "./env/secret.ts";

/** Environment of a container. Values of `secret` names are looked up in `.env` and the process when they are needed. */
export interface Environment {
  readonly clear: ReadonlyMap<string, string>;
  /** Names, without duplicates, in the order written. */
  readonly secret: readonly string[];
}

/** Options of `docker run` as written: `true` is a bare flag, a list repeats the flag. */
export type Options = ReadonlyMap<string, string | true | readonly string[]>;

export interface Registry {
  /** undefined is Docker Hub. */
  readonly server: string | undefined;
  readonly username: Credential;
  readonly password: Credential;
}

/** Written out, or the name of a variable to look up. */
export type Credential = { readonly value: Secret } | { readonly variable: string };

export interface Healthcheck {
  /** Replaces the HTTP probe. */
  readonly cmd: string | undefined;
  readonly path: string;
  readonly port: number;
  /** A docker duration such as `1s`. */
  readonly interval: string;
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
}

export interface Logging {
  readonly driver: string | undefined;
  readonly options: ReadonlyMap<string, string>;
  /** Of a log file, where nothing is configured and the engine's own driver takes it. */
  readonly maxSize?: string;
}

/** Hosts that run the app the same way. */
export interface Role {
  readonly name: string;
  /** Host strings as written, config order: `host`, `host:port`, `user@host`, `[v6]:port`. */
  readonly hosts: readonly string[];
  readonly traefik: boolean;
  /** Last words of `docker run`, as written: words are split as a shell would. */
  readonly cmd: string | undefined;
  /** Global and role env merged by key, the role winning. */
  readonly env: Environment;
  /** What the tags of a host make of `env`. Hosts that are not in it have no tags: `hostEnv?.get(host) ?? env`. */
  readonly hostEnv?: ReadonlyMap<string, Environment>;
  /** Everything but service, role, destination and the Traefik defaults: global labels, then role labels, merged by key. */
  readonly labels: ReadonlyMap<string, string>;
  readonly options: Options;
  /** undefined: no probe (a role without Traefik that asks for none). */
  readonly healthcheck: Healthcheck | undefined;
  /** Last lines of a failed container's log that are shown. */
  readonly logLines: number;
  readonly logging: Logging | undefined;
  readonly assetPath: string | undefined;
  /** `stop_first`: the old container stops before the new one starts, for what must never run twice. */
  readonly bootOrder: "start_first" | "stop_first";
}

export interface AccessoryFile {
  /** Path on this machine, relative to the working directory. */
  readonly local: string;
  /** Absolute path in the container. */
  readonly remote: string;
  /** Octal text for chmod. */
  readonly mode: string;
}

export interface AccessoryDirectory {
  /** Name below the accessory's own folder, or an absolute path on the host. */
  readonly source: string;
  readonly target: string;
  /** e.g. `ro`. */
  readonly mountOptions: string | undefined;
}

/** A container with a life of its own: database, cache. */
export interface Accessory {
  readonly name: string;
  /** Container name and `service` label: `S-NAME`, or its own `service` key. */
  readonly service: string;
  readonly image: string;
  readonly hosts: readonly string[];
  /** `3306:3306`, or as written with a colon. */
  readonly publish: string | undefined;
  readonly cmd: string | undefined;
  readonly env: Environment;
  readonly labels: ReadonlyMap<string, string>;
  readonly options: Options;
  readonly files: readonly AccessoryFile[];
  readonly directories: readonly AccessoryDirectory[];
  readonly volumes: readonly string[];
  readonly network: string | undefined;
}

export interface Traefik {
  readonly image: string;
  /** undefined: nothing published (`publish: false`). */
  readonly hostPort: number | undefined;
  readonly args: Options;
  readonly options: Options;
  readonly labels: ReadonlyMap<string, string>;
  readonly env: Environment;
}

export interface BuilderHost {
  readonly arch: string;
  /** Docker host URL; undefined is this machine's own engine. */
  readonly host: string | undefined;
}

export interface Builder {
  readonly kind: "multiarch" | "multiarch/remote" | "native/remote" | "native" | "native/cached";
  readonly local: BuilderHost | undefined;
  readonly remote: BuilderHost | undefined;
  readonly args: ReadonlyMap<string, string>;
  readonly secrets: readonly string[];
  /** Whether a `.env` file with secrets may be a part of what is built. */
  readonly allowTrackedEnv: boolean;
  readonly dockerfile: string;
  readonly context: string;
  /** Whether `context` was written: without it a build of later versions takes the committed state. */
  readonly contextGiven: boolean;
  readonly target: string | undefined;
  readonly ssh: string | undefined;
  readonly cache:
    | { readonly type: "gha" | "registry"; readonly options: string | undefined; readonly image: string | undefined }
    | undefined;
}

export interface Boot {
  /** Hosts per group; undefined is all at once. Percentages are resolved, at least 1. */
  readonly limit: number | undefined;
  readonly waitSeconds: number;
  readonly watchSeconds: number;
}

export interface Ssh {
  readonly user: string;
  readonly port: number | undefined;
  /** `[user@]host[:port]` of the jump host. */
  readonly proxy: string | undefined;
  readonly proxyCommand: string | undefined;
  readonly keys: readonly string[];
  readonly keysOnly: boolean;
  readonly keyData: readonly string[];
  /** false: `~/.ssh/config` is not read; a list of files: those instead. */
  readonly config: boolean | readonly string[];
  /** `debug`: all that the SSH library says; `info`: connections that come and go; else nothing. */
  readonly logLevel: "debug" | "info" | "warn" | "error" | "fatal";
  readonly maxConcurrentStarts: number;
  readonly poolIdleTimeoutSeconds: number;
  readonly connectTimeoutSeconds: number;
}

export interface Release {
  readonly command: string;
  readonly timeoutSeconds: number;
  readonly role: string;
}

/** What every layer but `config/` reads: camelCase, units in the names, one spelling per idea, nothing left to default. */
export interface Config {
  /** As given on the command line, for messages. */
  readonly file: string;
  readonly destination: string | undefined;
  readonly service: string;
  /** Repository without tag, the registry server in front: `IMG` of the reference. */
  readonly repository: string;
  readonly registry: Registry;
  /** Alphabetical by name. */
  readonly roles: readonly Role[];
  readonly primaryRole: string;
  /** First host of the primary role: where the lock is, whatever the filters say. */
  readonly primaryHost: string;
  readonly env: Environment;
  /** `docker run --volume` each. */
  readonly volumes: readonly string[];
  readonly logging: Logging;
  readonly accessories: readonly Accessory[];
  readonly traefik: Traefik;
  readonly builder: Builder;
  readonly boot: Boot;
  readonly ssh: Ssh;
  readonly hooksPath: string;
  readonly readinessDelaySeconds: number;
  /** undefined: docker's own ten seconds. */
  readonly stopWaitSeconds: number | undefined;
  readonly drainTimeoutSeconds: number;
  readonly retainContainers: number;
  /** In the login user's home. */
  readonly runDirectory: string;
  readonly network: string | undefined;
  readonly release: Release | undefined;
  readonly aliases: ReadonlyMap<string, string>;
  readonly requireDestination: boolean;
  readonly minimumVersion: string | undefined;
  /** What a person should know about keys that were written and change nothing: a sentence each. */
  readonly notes: readonly string[];
}
