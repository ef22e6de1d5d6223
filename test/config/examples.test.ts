import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/errors.ts";

const EXAMPLES = join(import.meta.dirname, "../fixtures/examples");

interface Recorded {
  readonly config: {
    readonly file: string;
    readonly destination: string | null;
    readonly version: string;
    readonly environment: Readonly<Record<string, string>>;
  };
  readonly derived: Readonly<Record<string, unknown>>;
}

const recorded = readdirSync(join(EXAMPLES, "expected")).map(
  (name) => [name, JSON.parse(readFileSync(join(EXAMPLES, "expected", name), "utf8")) as Recorded] as const,
);

test.each(recorded)("%s: what MRSK 0.13.2 derived is what we derive", async (_, { config: given, derived }) => {
  const { boot, healthcheck } = derived as { boot: { limit: number | null }; healthcheck: object };
  const config = await loadConfig({
    file: given.file.startsWith("deploy") ? `destinations/config/${given.file}` : given.file,
    destination: given.destination ?? undefined,
    cwd: EXAMPLES,
    environment: new Map(Object.entries(given.environment)),
  });
  const primary = config.roles.find((role) => role.name === config.primaryRole)?.healthcheck;
  const hostsOf = (roles: typeof config.roles) => [...new Set(roles.flatMap((role) => role.hosts))];
  expect({
    roles: Object.fromEntries(config.roles.map((role) => [role.name, role.hosts])),
    all_hosts: hostsOf(config.roles),
    primary_host: config.primaryHost,
    traefik_hosts: hostsOf(config.roles.filter((role) => role.traefik)),
    absolute_image: `${config.repository}:${given.version}`,
    latest_image: `${config.repository}:latest`,
    boot: { limit: config.boot.limit ?? null, wait: config.boot.waitSeconds },
    healthcheck: {
      path: primary?.path,
      port: primary?.port,
      max_attempts: primary?.maxAttempts,
      interval: primary?.interval,
      cmd: primary?.cmd,
    },
    readiness_delay: config.readinessDelaySeconds,
    hooks_path: config.hooksPath,
    ssh_user: config.ssh.user,
  }).toEqual({
    ...derived,
    // The recordings of MRSK have null for defaults of SSHKit: 2 s with a limit, a probe each second.
    boot: { wait: boot.limit === null ? 0 : 2, ...withoutNull(boot), limit: boot.limit },
    healthcheck: { interval: "1s", ...healthcheck },
  });
});

function withoutNull(values: object): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

test("keys of Kamal load", async () => {
  const config = await loadExample("13-later-keys-kamal-1.9.yml");
  const [app] = config.roles;
  expect(config).toMatchObject({
    primaryRole: "app",
    primaryHost: "203.0.113.141",
    retainContainers: 3,
    runDirectory: ".kamal",
    minimumVersion: "1.9.0",
    ssh: { port: 2222, keysOnly: true, keys: ["~/.ssh/portal_ed25519"], maxConcurrentStarts: 10 },
    builder: {
      kind: "multiarch",
      local: { arch: "amd64" },
      contextGiven: true,
      target: "production",
      cache: { type: "registry", image: "portal-build-cache", options: "mode=max" },
    },
    traefik: { hostPort: undefined, image: "traefik:v2.11" },
  });
  expect(app).toMatchObject({
    name: "app",
    traefik: true,
    assetPath: "/app/public/packs",
    healthcheck: { path: "/ready", port: 8080, interval: "5s", maxAttempts: 12 },
    logging: { driver: "local", options: new Map([["max-size", "50m"]]) },
  });
  expect(app!.hostEnv!.get("203.0.113.143")).toEqual({
    clear: new Map([
      ["LOG_LEVEL", "info"],
      ["FEATURE_SET", "next"],
      ["REGION", "eu"],
    ]),
    secret: ["DATABASE_URL", "CANARY_TOKEN"],
  });
  expect(config.roles[1]!.hosts).toEqual([]);
  expect(config.accessories[0]).toMatchObject({
    service: "portal-shared-db",
    directories: [{ source: "/srv/portal/db", target: "/var/lib/postgresql/data" }],
  });
});

test.each([
  ["accessory-hosts-not-list", "6:28: accessories/db/hosts: Hosts should be an Array for accessory `db`"],
  ["accessory-null-host", "6:28: accessories/db/host: Missing host for accessory `db`"],
  ["accessory-two-placements", "6:3: accessories/db: Specify one of `host`, `hosts` or `roles` for accessory `db`"],
  ["accessory-unknown-role", "6:36: accessories/db/roles/0: unknown role: nope (roles: web)"],
  ["empty-file", "1:1: is empty: service, image, servers and registry are required"],
  [
    "empty-role",
    "6:3: servers/jobs: No servers specified for the jobs role. You can ignore this with allow_empty_roles: true",
  ],
  ["empty-servers-list", "4:1: servers: Missing required configuration for servers"],
  ["missing-image", "1:1: image: Missing required configuration for image"],
  [
    "missing-registry-password",
    "4:1: registry/password: You must specify a password for the registry in invalid/missing-registry-password.yml (or set the ENV variable if that's used)",
  ],
  [
    "missing-registry-username",
    "4:1: registry/username: You must specify a username for the registry in invalid/missing-registry-username.yml",
  ],
  ["missing-registry", "1:1: registry: Missing required configuration for registry"],
  ["missing-servers", "1:1: servers: Missing required configuration for servers"],
  ["missing-service", "1:1: service: Missing required configuration for service"],
  ["no-web-role", "4:1: servers: The primary_role web isn't defined (roles: jobs)"],
  ["null-role", "5:3: servers/web: should be a list or a map, but is empty"],
  ["yaml-alias", "5:10: labels/hosts: should be a string, not a list"],
])("invalid/%s.yml is refused with position and reason", async (name, line) => {
  const error: unknown = await loadExample(`invalid/${name}.yml`).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).problems).toEqual([`invalid/${name}.yml:${line}`]);
});

test("a date remains a text", async () => {
  const config = await loadExample("invalid/yaml-date.yml");
  expect(config.env.clear).toEqual(new Map([["RELEASED_ON", "2023-06-01"]]));
});

test("a secret that is not set is not read while loading", async () => {
  const config = await loadExample("invalid/missing-secret-env.yml");
  expect(config.env.secret).toEqual(["NOT_IN_THE_ENVIRONMENT"]);
});

function loadExample(file: string) {
  return loadConfig({ file, destination: undefined, cwd: EXAMPLES, environment: new Map() });
}
