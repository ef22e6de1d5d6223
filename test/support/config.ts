import type { Accessory, Config, Environment, Proxy, Role, Ssh } from "../../src/config/config.ts";
import { proxyOf } from "../../src/config/proxy.ts";
import { needsOf } from "../../src/script/call.ts";
import { ShellLibrary } from "../../src/script/library.ts";
import { type Body, render } from "../../src/script/command.ts";
import type { TraefikHost } from "../../src/commands/traefik.ts";
import { Secret } from "../../src/config/env/secret.ts";

const NO_ENV: Environment = { clear: new Map(), secret: [] };

export function role(overrides: Partial<Role> = {}): Role {
  return {
    name: "web",
    hosts: ["192.0.2.1"],
    traefik: true,
    cmd: undefined,
    env: NO_ENV,
    labels: new Map(),
    options: new Map(),
    healthcheck: {
      cmd: undefined,
      path: "/up",
      port: 3000,
      interval: "1s",
      intervalSeconds: 1,
      maxAttempts: 7,
    },
    logLines: 50,
    logging: undefined,
    assetPath: undefined,
    bootOrder: "start_first",
    ...overrides,
  };
}

/** An empty section `proxy`. */
export const PROXY = proxyOf({});

/** The engine logs with docker's default driver. */
export function traefikHost(liveDirectory: string, logDriver = "json-file"): TraefikHost {
  return { liveDirectory, logDriver };
}

/** The section with its defaults. */
export function proxy(overrides: Partial<Proxy> = {}): Proxy {
  return { ...PROXY, ...overrides };
}

export function accessory(overrides: Partial<Accessory> = {}): Accessory {
  return {
    name: "db",
    service: "app-db",
    image: "mysql:8.0",
    hosts: ["192.0.2.9"],
    publish: "3306:3306",
    cmd: undefined,
    env: NO_ENV,
    labels: new Map(),
    options: new Map(),
    files: [],
    directories: [],
    volumes: [],
    network: undefined,
    ...overrides,
  };
}

export function ssh(overrides: Partial<Ssh> = {}): Ssh {
  return {
    user: "root",
    port: undefined,
    proxy: undefined,
    proxyCommand: undefined,
    keys: [],
    keysOnly: false,
    keyData: [],
    config: true,
    logLevel: "fatal",
    maxConcurrentStarts: 30,
    poolIdleTimeoutSeconds: 900,
    connectTimeoutSeconds: 10,
    ...overrides,
  };
}

export function config(overrides: Partial<Config> = {}): Config {
  const value = { value: new Secret("registry password", "pw") };
  return {
    file: "config/deploy.yml",
    destination: undefined,
    era: "MRSK and Kamal 1 (no key decides)",
    destinationLabel: overrides.destination,
    kamalVariables: false,
    service: "app",
    repository: "dhh/app",
    registry: { server: undefined, username: value, password: value },
    roles: [role()],
    primaryRole: "web",
    primaryHost: "192.0.2.1",
    env: NO_ENV,
    volumes: [],
    logging: { driver: undefined, options: new Map(), maxSize: "10m" },
    accessories: [],
    traefik: {
      image: "traefik:v3.7.15",
      hostPort: 80,
      bindIps: [],
      forwardHeaders: false,
      metricsPort: undefined,
      logging: { driver: undefined, options: new Map(), maxSize: "10m" },
      args: new Map(),
      options: new Map(),
      labels: new Map(),
      env: NO_ENV,
    },
    builder: {
      kind: "multiarch",
      local: undefined,
      remote: undefined,
      args: new Map(),
      secrets: [],
      dockerfile: "Dockerfile",
      context: ".",
      contextGiven: false,
      allowTrackedEnv: false,
      target: undefined,
      ssh: undefined,
      cache: undefined,
    },
    boot: { limit: undefined, waitSeconds: 2, watchSeconds: 5 },
    ssh: ssh(),
    hooksPath: ".mrsk/hooks",
    hooksOutput: { all: undefined, byHook: new Map() },
    secretsPath: ".kamal/secrets",
    readinessDelaySeconds: 7,
    deployTimeoutSeconds: undefined,
    stopWaitSeconds: undefined,
    drainTimeoutSeconds: 30,
    retainContainers: 5,
    runDirectory: ".mrsk",
    network: undefined,
    release: undefined,
    aliases: new Map(),
    requireDestination: false,
    minimumVersion: undefined,
    notes: [],
    unsupported: [],
    ...overrides,
  };
}

/** The text of a command, with `<name>` for each secret. */
export function line(body: Body): string {
  return render(body, (secret) => `<${secret.name}>`);
}

/** The text of a command after the functions of `src/shell` that it calls: a shell can run it. */
export function runnable(body: Body): string {
  return new ShellLibrary().missing(needsOf([body])) + line(body);
}

/** The text of a command with the quoted value of each secret, as `ps` would show it in an argument. */
export function revealed(body: Body): string {
  return render(body, (secret) => `'${secret.reveal().replaceAll("'", String.raw`'\''`)}'`);
}

/** A configuration with this builder. */
export function built(builder: Partial<Config["builder"]>, overrides: Partial<Config> = {}): Config {
  return config({ ...overrides, builder: { ...config().builder, ...builder } });
}
