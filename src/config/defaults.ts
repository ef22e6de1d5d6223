/** The values of keys of `deploy.yml` that are not written. Units are in the names, as in `config.ts`. */
export const DEFAULTS = {
  primaryRole: "web",
  readinessDelaySeconds: 7,
  drainTimeoutSeconds: 30,
  retainContainers: 5,
  hooksPath: ".mrsk/hooks",
  /** In the login user's home. */
  runDirectory: ".mrsk",
  /** Lines of a failed container's log. */
  logLines: 50,
  /** Of docker's log files, if neither driver nor options are configured. */
  logMaxSize: "10m",
  healthcheck: { path: "/up", port: 3000, interval: "1s", maxAttempts: 7 },
  /** Limit of one probe through Traefik. */
  probeTimeoutSeconds: 10,
  boot: {
    order: "start_first" as const,
    /** With a limit; without one there is a single group and nothing to wait for. */
    waitSeconds: 2,
    watchSeconds: 5,
  },
  builder: { dockerfile: "Dockerfile", context: "." },
  // MRSK's v2.9 cannot talk to Docker 29.
  traefik: { image: "traefik:v3.7.15", hostPort: 80 },
  /** `port` counts only if neither the host, `deploy.yml` nor `~/.ssh/config` gives one. */
  ssh: { user: "root", port: 22, logLevel: "fatal" as const, connectTimeoutSeconds: 15 },
  sshkit: { maxConcurrentStarts: 30, poolIdleTimeoutSeconds: 900 },
  release: { timeoutSeconds: 600 },
  /** As MRSK had it for every file of an accessory. */
  accessoryFileMode: "755",
};

/** The values of keys that Kamal 2 has, and those that a file of Kamal 2 has instead of the ones above. */
export const KAMAL2 = {
  hooksPath: ".kamal/hooks",
  secretsPath: ".kamal/secrets",
  /** In the login user's home: Kamal's lock is there, so that both tools exclude each other. */
  runDirectory: ".kamal",
  network: "kamal",
  deployTimeoutSeconds: 30,
  proxy: {
    appPort: 80,
    responseTimeoutSeconds: 30,
    healthcheck: { path: "/up", intervalSeconds: 1, timeoutSeconds: 5 },
    /** 1 MiB. */
    bufferMemoryBytes: 1_048_576,
    requestHeaders: ["Cache-Control", "Last-Modified", "User-Agent"],
    run: { httpPort: 80, httpsPort: 443 },
  },
};

/** Values of `--lock-wait-timeout` and `--lock-wait-interval`, as in Kamal 2. */
export const LOCK_WAIT = { timeoutSeconds: 900, intervalSeconds: 15 };

/** Lines that `mrsk app logs` and its like print if no option selects lines. */
export const SHOWN_LOG_LINES = 100;

/** Lines of each host that `mrsk audit` prints. */
export const SHOWN_AUDIT_LINES = 50;
