import type { Secret } from "./env/secret.ts";

/** Environment of a container. The values of `secret` names are read from `.env` and the process when they are needed. */
export interface Environment {
  readonly clear: ReadonlyMap<string, string>;
  /** Names, without duplicates, in the order of the file. */
  readonly secret: readonly string[];
  /** The names of the secrets that give the values of variables with another name: `NAME:OTHER`. */
  readonly sources?: ReadonlyMap<string, string>;
}

/** Options of `docker run` as written: `true` is a bare flag, a list repeats the flag. */
export type Options = ReadonlyMap<string, string | true | readonly string[]>;

export interface Registry {
  /** undefined is Docker Hub. */
  readonly server: string | undefined;
  readonly username: Credential;
  readonly password: Credential;
  /** Set for a registry on this machine, which has no login: its credentials are empty. */
  readonly isLocal?: boolean;
}

/** A value in the file, or the name of the variable that has the value. */
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
  /** For one check; undefined: docker's default of 30 seconds, and that of probes. */
  readonly timeoutSeconds?: number | undefined;
  /** From a bad answer of the app to the next probe; undefined: as soon as possible. */
  readonly probeIntervalSeconds?: number | undefined;
}

/** How the proxy routes requests to a role or an accessory: the section `proxy`. */
export interface Proxy {
  /** Names, also `*.example.com` for any name with one more label. Empty: every host that no other service names. */
  readonly hosts: readonly string[];
  readonly appPort: number;
  /** `acme`: certificates from Let's Encrypt. Otherwise the names of the secrets that have certificate and key. */
  readonly ssl: false | "acme" | { readonly certificate: string; readonly privateKey: string };
  /** Whether http is redirected to https, with `ssl`. */
  readonly sslRedirect: boolean;
  /** Whether `X-Forwarded-…` headers of the client reach the app. */
  readonly forwardHeaders: boolean;
  /** Until the headers of the app's response; 0: unlimited. */
  readonly responseTimeoutSeconds: number;
  /** `/api`: without a slash at the end, and empty for `/` among others. An empty list: every path. */
  readonly pathPrefixes: readonly string[];
  readonly stripPathPrefix: boolean;
  readonly healthcheck: { readonly path: string; readonly intervalSeconds: number; readonly timeoutSeconds: number };
  readonly buffering: {
    readonly requests: boolean;
    readonly responses: boolean;
    /** undefined: unlimited. */
    readonly maxRequestBytes: number | undefined;
    readonly maxResponseBytes: number | undefined;
    /** More is buffered on disk. */
    readonly memoryBytes: number;
  };
  /** The headers in the proxy's log of requests; undefined: no log of requests. */
  readonly logging:
    | { readonly requestHeaders: readonly string[]; readonly responseHeaders: readonly string[] }
    | undefined;
  readonly run: ProxyRun;
}

/** The container of the proxy. */
export interface ProxyRun {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Whether the two ports are published on the server. */
  readonly publish: boolean;
  /** The addresses to publish on; empty: all. */
  readonly bindIps: readonly string[];
  readonly metricsPort: number | undefined;
  readonly debug: boolean;
  /** Of docker's log files; empty: unlimited; undefined: as `logging` of the configuration has it. */
  readonly logMaxSize: string | undefined;
  readonly options: Options;
}

export interface Logging {
  readonly driver: string | undefined;
  readonly options: ReadonlyMap<string, string>;
  /** Of docker's log files, if the driver has this option: the default if nothing is configured. */
  readonly maxSize?: string;
}

/** Hosts that run the app in the same way. */
export interface Role {
  readonly name: string;
  /** As written and in the order of the file: `host`, `host:port`, `user@host`, `[v6]:port`. */
  readonly hosts: readonly string[];
  readonly traefik: boolean;
  /** The section `proxy` that Traefik's labels are made from; undefined: every request, to the port that the image exposes. */
  readonly proxy?: Proxy | undefined;
  /** The command, last in `docker run`, as written: it is split into words like a shell's command line. */
  readonly cmd: string | undefined;
  /** Global and role env merged by key, the role winning. */
  readonly env: Environment;
  /** `env` merged with that of the host's tags. Has no host without tags: `hostEnv?.get(host) ?? env`. */
  readonly hostEnv?: ReadonlyMap<string, Environment>;
  /** Global labels, then the role's, merged by key. Without service, role, destination and Traefik's default labels. */
  readonly labels: ReadonlyMap<string, string>;
  readonly options: Options;
  /** Docker's restart policy of a live container; undefined: `unless-stopped`. */
  readonly restartPolicy?: string | undefined;
  /** undefined: no check (a role without Traefik that defines none). */
  readonly healthcheck: Healthcheck | undefined;
  /** How many last lines of a failed container's log are printed. */
  readonly logLines: number;
  readonly logging: Logging | undefined;
  readonly assetPath: string | undefined;
  /** Of the volume: `ro`, `z`. */
  readonly assetOptions?: string | undefined;
  /** For `docker stop`; undefined: `stopWaitSeconds` of the configuration. */
  readonly stopWaitSeconds?: number | undefined;
  /** `stop_first`: the old container stops before the new one starts, for an app that must never run twice. */
  readonly bootOrder: "start_first" | "stop_first";
}

export interface AccessoryFile {
  /** Path on this machine, relative to the working directory. */
  readonly local: string;
  /** Absolute path in the container. */
  readonly remote: string;
  /** Octal digits, for chmod. */
  readonly mode: string;
  /** For chown: `USER` or `USER:GROUP`. */
  readonly owner?: string | undefined;
  /** e.g. `ro`. */
  readonly mountOptions?: string | undefined;
}

export interface AccessoryDirectory {
  /** Name below the accessory's data directory, or an absolute path on the host. */
  readonly source: string;
  readonly target: string;
  /** e.g. `ro`. */
  readonly mountOptions: string | undefined;
  /** Octal digits, for chmod; undefined: as the login user creates folders. */
  readonly mode?: string | undefined;
  /** As of a file. */
  readonly owner?: string | undefined;
}

/** A container that no deploy touches: a database, a cache. */
export interface Accessory {
  readonly name: string;
  /** Container name and `service` label: `SERVICE-NAME`, or the value of its `service` key. */
  readonly service: string;
  /** With the server of its registry in front, if it has a registry. */
  readonly image: string;
  /** The registry of this image, if it is not that of the app. */
  readonly registry?: Registry | undefined;
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
  readonly proxy?: Proxy | undefined;
}

export interface Traefik {
  readonly image: string;
  /** undefined: no port is published (`publish: false`). */
  readonly hostPort: number | undefined;
  /** The addresses that `hostPort` is published on, IPv6 without brackets; empty: all. */
  readonly bindIps: readonly string[];
  /** Whether Traefik passes on `X-Forwarded-…` headers of clients. */
  readonly forwardHeaders: boolean;
  /** Port in the container for Prometheus; undefined: no metrics. */
  readonly metricsPort: number | undefined;
  readonly logging: Logging;
  readonly args: Options;
  readonly options: Options;
  readonly labels: ReadonlyMap<string, string>;
  readonly env: Environment;
}

export interface BuilderHost {
  /** `amd64`; several are separated by commas. */
  readonly arch: string;
  /** Docker host URL; undefined is the engine of this machine. */
  readonly host: string | undefined;
}

export interface Builder {
  readonly kind: "multiarch" | "multiarch/remote" | "native/remote" | "native" | "native/cached";
  readonly local: BuilderHost | undefined;
  readonly remote: BuilderHost | undefined;
  /** Without an own builder, the platforms that docker builds for; undefined leaves the choice to docker. */
  readonly nativeArch?: string | undefined;
  readonly args: ReadonlyMap<string, string>;
  /** Build arguments whose values are this machine's variables of the same names. */
  readonly inheritedArgs?: readonly string[] | undefined;
  readonly secrets: readonly string[];
  /** Whether the build context may contain a `.env` file with secrets. */
  readonly allowTrackedEnv: boolean;
  readonly dockerfile: string;
  readonly context: string;
  /** Whether the file has `context`: without it the build uses a clone of the last commit. */
  readonly contextGiven: boolean;
  readonly target: string | undefined;
  readonly ssh: string | undefined;
  readonly cache:
    | { readonly type: "gha" | "registry"; readonly options: string | undefined; readonly image: string | undefined }
    | undefined;
  /** Value of docker's flag `--provenance`. */
  readonly provenance?: string | undefined;
  /** Value of docker's flag `--sbom`. */
  readonly sbom?: boolean | undefined;
}

export interface Boot {
  /** Hosts per group, at least 1, percentages resolved; undefined is one group of all hosts. */
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
  /** false: no client configuration is read; a list of files: those are read instead of `~/.ssh/config`. */
  readonly config: boolean | readonly string[];
  /** `debug`: everything that the SSH library logs; `info`: connections opened and closed; otherwise nothing. */
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

/** Whether the output of hooks is shown; undefined is as if the key were not written. A failed hook always shows its output. */
export interface HooksOutput {
  readonly all: "quiet" | "verbose" | undefined;
  readonly byHook: ReadonlyMap<string, "quiet" | "verbose">;
}

/** The resolved configuration: camelCase, units in the names, one form for each setting, every default filled in. */
export interface Config {
  /** The path as given on the command line, for messages. */
  readonly file: string;
  readonly destination: string | undefined;
  /** The programs that the file was written for, and what decided: `Kamal 2 (builder.arch)`. For `mrsk config` alone. */
  readonly era: string;
  readonly service: string;
  /** Value of the label `destination` of containers; undefined: they have no such label. */
  readonly destinationLabel: string | undefined;
  /** Whether containers of the app get `KAMAL_VERSION` and the like, besides `MRSK_VERSION`. */
  readonly kamalVariables: boolean;
  /** The image without a tag, with the registry's server in front: `ghcr.io/acme/app`. */
  readonly repository: string;
  readonly registry: Registry;
  /** Alphabetical by name. */
  readonly roles: readonly Role[];
  readonly primaryRole: string;
  /** First host of the primary role, which has the lock. The filters of a run do not change it. */
  readonly primaryHost: string;
  readonly env: Environment;
  /** Values of `docker run --volume`. */
  readonly volumes: readonly string[];
  readonly logging: Logging;
  readonly accessories: readonly Accessory[];
  readonly traefik: Traefik;
  /** The hosts whose Traefik has other settings than `traefik` (`traefikOn`). */
  readonly hostTraefik?: ReadonlyMap<string, Traefik> | undefined;
  readonly builder: Builder;
  readonly boot: Boot;
  readonly ssh: Ssh;
  readonly hooksPath: string;
  readonly hooksOutput: HooksOutput;
  /** The beginning of the names of Kamal's secrets files: `.kamal/secrets`. */
  readonly secretsPath: string;
  readonly readinessDelaySeconds: number;
  /** Time that a container has to become healthy or ready; undefined: as long as the attempts of its health check take. */
  readonly deployTimeoutSeconds: number | undefined;
  /** For `docker stop`; undefined: docker's default, ten seconds. */
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
  /** A sentence for each key that was written and has no effect. */
  readonly notes: readonly string[];
  /** A line for each setting that mrsk cannot carry out yet, with its place. Commands that start containers refuse it. */
  readonly unsupported: readonly string[];
}
