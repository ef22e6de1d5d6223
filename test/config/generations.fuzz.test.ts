import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Config } from "../../src/config/config.ts";
import { roleLabels } from "../../src/traefik/labels.ts";
import { configOf } from "./from-yaml.ts";

/** A project in words of neither generation: what both can express. */
interface Project {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly interval: number;
  readonly stop: number | undefined;
  readonly deployTimeout: number | undefined;
  readonly hostPort: number;
  readonly published: boolean;
  readonly debug: boolean;
  readonly proxyOptions: Readonly<Record<string, string>>;
  readonly builder:
    | { readonly kind: "here"; readonly arches: readonly string[] }
    | { readonly kind: "elsewhere"; readonly arch: string; readonly on: string }
    | { readonly kind: "docker"; readonly arch: string };
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly boot: { readonly limit: number | string; readonly wait: number } | undefined;
  readonly clear: Readonly<Record<string, string | number | boolean>>;
  readonly secret: readonly string[];
  readonly roleClear: Readonly<Record<string, string>>;
  readonly tagged: Readonly<Record<string, string>>;
  readonly hasTag: boolean;
  readonly jobs: boolean;
  readonly api: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly assets: string | undefined;
  readonly accessory: "host" | "role" | undefined;
  readonly destination: string | undefined;
  /** Which of two equal forms each file uses. */
  readonly shortForms: readonly [boolean, boolean];
}

const names = fc.constantFrom("A", "B", "C");
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const projects: fc.Arbitrary<Project> = fc.record({
  host: fc.constantFrom("example.com", "a.example.com"),
  port: fc.integer({ min: 1, max: 65_535 }),
  path: fc.constantFrom("/up", "/health", "/ok/deep?x=1"),
  interval: fc.integer({ min: 1, max: 20 }),
  stop: some(fc.integer({ min: 1, max: 100 })),
  deployTimeout: some(fc.integer({ min: 1, max: 300 })),
  hostPort: fc.integer({ min: 1, max: 65_535 }),
  published: fc.boolean(),
  debug: fc.boolean(),
  proxyOptions: fc.dictionary(fc.constantFrom("memory", "cpus"), fc.constantFrom("1", "2")),
  builder: fc.oneof(
    fc.record({ kind: fc.constant("here" as const), arches: fc.subarray(["amd64", "arm64"], { minLength: 1 }) }),
    // No machine of a test has these, so the other machine builds.
    fc.record({
      kind: fc.constant("elsewhere" as const),
      arch: fc.constantFrom("s390x", "riscv64"),
      on: fc.constantFrom("ssh://app@builder", "tcp://builder:2375"),
    }),
    fc.record({ kind: fc.constant("docker" as const), arch: fc.constantFrom("amd64", "arm64") }),
  ),
  buildArgs: fc.dictionary(names, fc.constantFrom("1", "x y")),
  boot: some(fc.record({ limit: fc.constantFrom<number | string>(1, 2, "50%"), wait: fc.nat(9) })),
  clear: fc.dictionary(names, fc.constantFrom<string | number | boolean>("x", 0, 1.5, false, "a b")),
  secret: fc.uniqueArray(fc.constantFrom("S", "T", "U:OTHER")),
  roleClear: fc.dictionary(names, fc.constantFrom("role", "r")),
  tagged: fc.dictionary(names, fc.constantFrom("tag", "t")),
  hasTag: fc.boolean(),
  jobs: fc.boolean(),
  api: fc.boolean(),
  labels: fc.dictionary(fc.constantFrom("team", "tier"), fc.constantFrom("x", "y")),
  assets: some(fc.constantFrom("/app/public", "/app/assets:ro")),
  accessory: some(fc.constantFrom("host" as const, "role" as const)),
  destination: some(fc.constant("staging")),
  shortForms: fc.tuple(fc.boolean(), fc.boolean()),
});

type Written = Readonly<Record<string, unknown>>;

/** What both generations write in the same way. */
function shared(project: Project, short: boolean): Written {
  const { clear, secret, tagged, labels, boot, deployTimeout, buildArgs } = project;
  const flat = short && secret.length === 0 && !project.hasTag;
  return {
    service: "app",
    image: "acme/app",
    registry: { username: "u", password: ["P"] },
    env: flat ? clear : { clear, secret, ...(project.hasTag ? { tags: { eu: tagged } } : {}) },
    labels,
    ...(boot ? { boot } : {}),
    ...(deployTimeout ? { deploy_timeout: deployTimeout } : {}),
    builder: { args: buildArgs },
  };
}

/** @param web keys of the role that gets the requests @param api of a second one with the same port and path of the check */
function servers({ hasTag, jobs, api, roleClear }: Project, short: boolean, web: Written, apiKeys: Written): unknown {
  const hosts = [hasTag ? { "192.0.2.1": "eu" } : "192.0.2.1", "192.0.2.2"];
  if (short && !jobs && !api && Object.keys({ ...web, ...roleClear }).length === 0) return hosts;
  return {
    web: { hosts, env: roleClear, ...web },
    ...(jobs ? { jobs: short ? ["192.0.2.3"] : { hosts: ["192.0.2.3"] } } : {}),
    ...(api ? { api: { hosts: ["192.0.2.4"], ...apiKeys } } : {}),
  };
}

function accessories({ accessory }: Project, short: boolean, role: Written): Written {
  if (accessory === undefined) return {};
  const files = short ? ["a.conf:/etc/a.conf:640"] : [{ local: "a.conf", remote: "/etc/a.conf", mode: "640" }];
  const directories = short ? ["data:/data:z"] : [{ local: "data", remote: "/data", options: "z" }];
  const place = accessory === "host" ? { host: "192.0.2.9" } : role;
  return { accessories: { db: { image: "postgres:17", port: 5432, files, directories, ...place } } };
}

const routerOf = (role: string, destination: string | undefined) =>
  ["app", role, ...(destination === undefined ? [] : [destination])].join("-");

/** Kamal 1 has no key for hosts and ports: they are in labels of Traefik. */
function routing(role: string, host: string, { port, destination }: Project): Written {
  const name = routerOf(role, destination);
  return {
    [`traefik.http.routers.${name}.rule`]: `Host(\`${host}\`)`,
    [`traefik.http.routers.${name}.priority`]: "20000",
    [`traefik.http.routers.${name}.middlewares`]: `${name}-forwarded@docker,${name}-retry@docker`,
    [`traefik.http.middlewares.${name}-forwarded.headers.customrequestheaders.Forwarded`]: "",
    [`traefik.http.services.${name}.loadbalancer.server.port`]: String(port),
  };
}

function kamal1Builder({ builder }: Project): Written {
  if (builder.kind === "here") return { local: { arch: builder.arches.join(",") } };
  if (builder.kind === "docker") return { multiarch: false };
  return { remote: { arch: builder.arch, host: builder.on } };
}

function kamal2Builder({ builder }: Project): Written {
  if (builder.kind === "here") return { arch: builder.arches.length === 1 ? builder.arches[0] : builder.arches };
  if (builder.kind === "docker") return { arch: builder.arch, driver: "docker" };
  return { arch: builder.arch, remote: builder.on };
}

type Files = Readonly<Record<string, string>>;

function kamal1(project: Project): Files {
  const { path, port, interval, stop, debug, proxyOptions, assets } = project;
  const short = project.shortForms[0];
  const common = shared(project, short);
  const assetPath = assets === undefined ? {} : { asset_path: assets };
  const written = {
    ...common,
    ...accessories(project, short, { roles: ["web"] }),
    servers: servers(
      project,
      short,
      { labels: routing("web", project.host, project), ...assetPath },
      { traefik: true, labels: routing("api", "api.example.com", project), ...assetPath },
    ),
    builder: { ...(common["builder"] as object), ...kamal1Builder(project) },
    healthcheck: { path, port, interval: `${interval}s` },
    traefik: {
      ...(project.published ? { host_port: project.hostPort } : { publish: false }),
      ...(debug ? { args: { "log.level": "DEBUG" } } : {}),
      options: proxyOptions,
    },
    run_directory: ".kamal",
    network: "kamal",
    ...(stop ? { stop_wait_time: stop } : {}),
  };
  const web = { labels: routing("web", "staging.example.com", project) };
  return filesOf(project, written, { servers: { web } });
}

function kamal2(project: Project): Files {
  const { host, path, port, interval, stop, debug, proxyOptions, assets } = project;
  const short = project.shortForms[1];
  const common = shared(project, short);
  const written = {
    ...common,
    ...accessories(project, short, { role: "web" }),
    servers: servers(project, short, {}, { proxy: { host: "api.example.com" } }),
    builder: { ...(common["builder"] as object), ...kamal2Builder(project) },
    proxy: {
      host,
      app_port: port,
      healthcheck: { path, interval },
      // As Traefik is without Kamal 2's defaults.
      forward_headers: false,
      response_timeout: 0,
      run: {
        ...(project.published ? { http_port: project.hostPort } : { publish: false }),
        ...(debug ? { debug } : {}),
        options: proxyOptions,
      },
    },
    ...(assets === undefined ? {} : { asset_path: assets }),
    ...(stop ? { stop_timeout: stop } : {}),
  };
  return filesOf(project, written, { proxy: { host: "staging.example.com" } });
}

/** The second file changes the name of the host: as a role with labels, a list of servers cannot be overlaid. */
function filesOf({ destination }: Project, written: Written, overlay: Written): Files {
  const deploy = { "deploy.yml": stringify(written) };
  return destination === undefined ? deploy : { ...deploy, [`deploy.${destination}.yml`]: stringify(overlay) };
}

/** What a deploy acts on: the labels of Traefik in place of the section that they are made from, and no list of refusals. */
function effect(config: Config): Config {
  const roles = config.roles.map((role) => {
    const { proxy: _, ...rest } = role;
    return { ...rest, labels: new Map([...roleLabels(config, role)].toSorted(([a], [b]) => (a < b ? -1 : 1))) };
  });
  return { ...config, roles, unsupported: [] };
}

interface Difference {
  readonly what: string;
  /** Why a file of Kamal 1 cannot say it. */
  readonly reason: string;
  /** The value of the file of Kamal 2 in the configuration of the other file. */
  readonly take: (first: Config, second: Config, project: Project) => Config;
}

const DIFFERENCES: readonly Difference[] = [
  { what: "era", reason: "it is what differs", take: (first, { era }) => ({ ...first, era }) },
  {
    what: "kamalVariables",
    reason: "MRSK's containers have no KAMAL_VERSION",
    take: (first, { kamalVariables }) => ({ ...first, kamalVariables }),
  },
  {
    what: "the label destination without -d",
    reason: "Kamal 2 finds its containers by the empty label, MRSK by the missing one",
    take: (first, second, { destination }) => {
      if (destination !== undefined) return first;
      const labels = (role: Config["roles"][number]) =>
        new Map([...role.labels, ["destination", ""] as const].toSorted(([a], [b]) => (a < b ? -1 : 1)));
      const roles = first.roles.map((role) => ({ ...role, labels: labels(role) }));
      return { ...first, roles, destinationLabel: second.destinationLabel };
    },
  },
  {
    what: "the limit of a health check without deploy_timeout",
    reason: "Kamal 2 counts seconds, Kamal 1 attempts",
    take: (first, { deployTimeoutSeconds }, { deployTimeout }) =>
      deployTimeout === undefined ? { ...first, deployTimeoutSeconds } : first,
  },
  {
    what: "the limit of one request of a health check, and its other settings",
    reason: "Kamal 1 has no keys for them",
    take: (first, second) => ({
      ...first,
      roles: first.roles.map((role) => {
        const other = second.roles.find(({ name }) => name === role.name)?.healthcheck;
        if (!role.healthcheck || !other) return role;
        const { cmd, path, port, interval, intervalSeconds, maxAttempts } = role.healthcheck;
        return { ...role, healthcheck: { ...other, cmd, path, port, interval, intervalSeconds, maxAttempts } };
      }),
    }),
  },
  {
    what: "the stop time of roles",
    reason: "in Kamal 2 it is that of each role, and without one, drain_timeout for roles without the proxy",
    take: (first, _, { stop }) => ({
      ...first,
      roles: first.roles.map((role) => ({ ...role, stopWaitSeconds: stop ?? (role.traefik ? undefined : 30) })),
    }),
  },
  {
    what: "the platform of docker's own build",
    reason: "multiarch: false builds for the architecture of this machine",
    take: (first, { builder: { nativeArch } }) => ({ ...first, builder: { ...first.builder, nativeArch } }),
  },
];

async function both(project: Project): Promise<readonly [Config, Config]> {
  const options = project.destination === undefined ? {} : { destination: project.destination };
  const [first, second] = await Promise.all([configOf(kamal1(project), options), configOf(kamal2(project), options)]);
  return [effect(first), effect(second)];
}

test("a file of Kamal 1 and its rewrite for Kamal 2 resolve to the same, but for the differences in the table", async () => {
  await fc.assert(
    fc.asyncProperty(projects, async (project) => {
      const [first, second] = await both(project);
      expect(first.era).toBe("MRSK and Kamal 1 (traefik)");
      expect(second.era).toMatch(/^Kamal 2/);
      expect([first.notes, second.notes]).toEqual([[], []]);
      expect(DIFFERENCES.reduce((config, { take }) => take(config, second, project), first)).toEqual(second);
    }),
    { numRuns: 60 },
  );
});

/** Every difference applies to it. */
const PLAIN: Project = {
  host: "example.com",
  port: 3000,
  path: "/up",
  interval: 1,
  stop: undefined,
  deployTimeout: undefined,
  hostPort: 80,
  published: true,
  debug: false,
  proxyOptions: {},
  builder: { kind: "docker", arch: "s390x" },
  buildArgs: {},
  boot: undefined,
  clear: {},
  secret: [],
  roleClear: {},
  tagged: {},
  hasTag: false,
  jobs: true,
  api: false,
  labels: {},
  assets: undefined,
  accessory: undefined,
  destination: undefined,
  shortForms: [true, true],
};

describe("each difference of the table is one", () => {
  test.each(DIFFERENCES)("$what: $reason", async ({ take }) => {
    const [first, second] = await both(PLAIN);
    const others = DIFFERENCES.filter((one) => one.take !== take);
    expect(others.reduce((config, one) => one.take(config, second, PLAIN), first)).not.toEqual(second);
  });
});
