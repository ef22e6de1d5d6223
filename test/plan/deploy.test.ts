import { describe, expect, test } from "vitest";
import { liveContainer } from "../../src/plan/containers.ts";
import { decide, type Decision } from "../../src/plan/deploy.ts";
import { obstacles } from "../../src/plan/obstacles.ts";
import { configOf } from "../config/from-yaml.ts";
import { config, PROXY, role } from "../support/config.ts";
import { aHost, container, containerOfMrsk, stopped, TRAEFIK, type World } from "../support/world.ts";

function planFor(world: World, overrides: Partial<Decision> = {}) {
  const seen = world.facts();
  let count = 0;
  const given = overrides.config ?? config();
  const plan = decide({
    config: given,
    versionOn: () => "2",
    roles: given.roles,
    facts: seen,
    newId: (digits) => String(++count).padStart(digits, "0"),
    reuse: false,
    traefikArguments: ["--providers.docker", "--providers.file.directory=/etc/traefik/mrsk"],
    ...overrides,
  });
  return plan;
}

describe("the plan of a role", () => {
  test("a first deploy runs Traefik and a new container behind a live file", () => {
    const plan = planFor(aHost());
    expect(plan.traefik).toEqual({ action: "run" });
    expect(plan.roles[0]).toMatchObject({ routing: "live-file", old: undefined, stale: [], nameConflict: undefined });
    expect(plan.roles[0]!.next.name).toBe("app-web-2");
    expect(plan.roles[0]!.next.labels.get("mrsk.id")).toBe("00000001");
  });

  test("the label with the response_timeout only if the running and the configured Traefik read live files", () => {
    const roles = [role({ proxy: PROXY })];
    const label = /^traefik\.http\.services\.app-web.*\.loadbalancer\.serverstransport$/;
    const named = (world: World, traefik = config().traefik) => {
      const { labels } = planFor(world, { config: config({ roles, traefik }) }).roles[0]!.next;
      return [...labels].filter(([key]) => label.test(key)).map(([, value]) => value);
    };
    const own = { ...config().traefik, args: new Map([["providers.file.filename", "/etc/t.yml"]]) };
    expect(named(aHost())).toEqual(["app-web-timeout-30s@file"]);
    expect(named(aHost().behindTraefik())).toEqual(["app-web-timeout-30s@file"]);
    expect(named(aHost().behindTraefikOfMrsk())).toEqual([]);
    expect(named(aHost().with({ liveDirectoryWritable: false }).behindTraefik())).toEqual([]);
    expect(named(aHost(), own)).toEqual([]);
    expect(named(aHost().behindTraefik(), own)).toEqual([]);
  });

  test("a Traefik that MRSK started routes by the same labels as before", () => {
    const plan = planFor(aHost().behindTraefikOfMrsk().runs(containerOfMrsk("web", 1)));
    expect(plan.roles[0]!.routing).toBe("labels");
    expect(plan.roles[0]!.next.labels.has("traefik.http.services.app-web.loadbalancer.server.scheme")).toBe(true);
    expect(plan.traefik).toMatchObject({
      action: "keep",
      differs: expect.stringContaining("it lacks --providers.file") as string,
    });
    expect(obstacles(plan)).toEqual([]);
  });

  test.each([
    ["the directory is mounted, but is no provider", { args: ["--providers.docker"] }],
    ["the directory is a provider, but not mounted", { mounts: new Map<string, string>() }],
  ])("labels route if %s", (_, overrides) => {
    expect(planFor(aHost().behindTraefik(overrides)).roles[0]!.routing).toBe("labels");
  });

  test("changed routing labels are an obstacle if Traefik reads no live files", () => {
    const changed = config({
      roles: [role({ labels: new Map([["traefik.http.routers.app-web.rule", "Host(`new`)"]]) })],
    });
    const plan = planFor(aHost().behindTraefikOfMrsk().runs(containerOfMrsk("web", 1)), { config: changed });
    expect(obstacles(plan)[0]).toContain("mrsk traefik reboot");
  });

  test("a host of a role without Traefik runs one for an accessory with proxy", async () => {
    const jobs = role({ name: "jobs", hosts: ["192.0.2.1"], traefik: false });
    const routed = await configOf(`
service: app
image: dhh/app
registry: { username: u, password: [P] }
servers: [192.0.2.9]
accessories: { search: { image: search, host: 192.0.2.1, proxy: { host: a.b } } }
`);
    expect(planFor(aHost(), { config: routed, roles: [jobs] }).traefik).toEqual({ action: "run" });
    expect(planFor(aHost().named("192.0.2.2"), { config: routed, roles: [jobs] }).traefik).toEqual({ action: "none" });
    const joining = planFor(aHost().behindTraefik(), { config: routed, roles: [jobs] });
    expect(joining.join).toBe("kamal");
  });

  test("a stopped Traefik is started", () => {
    expect(planFor(aHost().behindTraefik({ state: "exited" })).traefik).toEqual({ action: "start" });
  });

  test("a running container of the same version is renamed, a stopped one removed", () => {
    const running = planFor(aHost().behindTraefik().runs(container("web", 2)));
    expect(running.roles[0]!.nameConflict?.newName).toMatch(/^app-web-2_replaced_\d{16}$/);
    const kept = planFor(aHost().behindTraefik().keeps(stopped("web", 2)));
    expect(kept.roles[0]!.nameConflict).toMatchObject({ newName: undefined });
  });

  test("a rollback starts the kept container", () => {
    const kept = stopped("web", 2);
    const plan = planFor(aHost().behindTraefik().runs(container("web", 3)).keeps(kept), { reuse: true });
    expect(plan.roles[0]!.next.kept).toBe(kept);
    expect(plan.roles[0]!.old?.name).toBe("app-web-3");
  });

  test("a rollback reuses a container that runs alongside the live one", () => {
    const alongside = container("web", 2);
    const live = container("web", 3);
    const plan = planFor(aHost().behindTraefik().runs(live, alongside), { reuse: true });
    expect(plan.roles[0]).toMatchObject({ old: live, stale: [], nameConflict: undefined });
    expect(plan.roles[0]!.next.kept).toBe(alongside);
  });

  const strangers = aHost()
    .behindTraefik()
    .runs(container("web", 1, { destination: "staging" }), container("webhooks", 1))
    .keeps(stopped("web", 2, { destination: "staging" }));

  test("containers of other destinations, roles and services with the same prefix do not count", () => {
    const plan = planFor(strangers);
    expect(plan.roles[0]).toMatchObject({
      old: undefined,
      stopped: undefined,
      stale: [],
      surplus: [],
      nameConflict: undefined,
    });
  });

  test("a destination sees only its own containers, even if a version starts with its name", () => {
    const plain = container("web", "staging-rc1");
    const plan = planFor(strangers.runs(plain), {
      config: config({ destination: "staging", retainContainers: 0 }),
    });
    expect(plan.roles[0]!.next.name).toBe("app-web-staging-2");
    expect(plan.roles[0]!.old?.name).toBe("app-web-staging-1");
    expect(plan.roles[0]!.stale).toEqual([]);
    const other = planFor(strangers.runs(plain));
    expect(other.roles[0]).toMatchObject({ old: plain, stale: [], surplus: [] });
  });

  test("the live file of a service with the same prefix does not count", () => {
    const live = container("web", 1);
    const newer = container("web", 3);
    const text = (name: string, id: string) =>
      `http:\n  routers:\n    ${name}:\n      rule: PathPrefix(\`/\`)\n      service: ${name}-${id}@docker\n`;
    const world = aHost()
      .behindTraefik()
      .runs(newer, live)
      .withLiveFile("app-web-two", text("app-web-two", "cccccccc"))
      .withLiveFile("app-web", text("app-web", "aaaaaaaa"));
    expect(planFor(world).roles[0]!.old).toBe(live);
  });

  test("a container that `app stop` stopped is not pruned, and a deploy of its version does not remove it", () => {
    const last = stopped("web", 2);
    const failed = stopped("web", 3);
    const world = aHost().behindTraefik().keeps(failed, last).released("1", "2");
    const [plan] = planFor(world, { config: config({ retainContainers: 0 }) }).roles;
    expect(plan).toMatchObject({ old: undefined, stopped: last, surplus: [failed] });
    expect(plan!.nameConflict?.newName).toMatch(/^app-web-2_replaced_/);
  });

  test("the container of a failed first deploy was never live", () => {
    const failed = stopped("web", 1);
    expect(planFor(aHost().behindTraefik().keeps(failed)).roles[0]!.stopped).toBeUndefined();
  });

  test("a version with dashes is read from the name of its container", () => {
    const plan = planFor(aHost().behindTraefik().runs(container("web", "v1-rc1")));
    expect(plan.roles[0]!.old?.name).toBe("app-web-v1-rc1");
  });

  test("stopped containers beyond the retained number are surplus, oldest first; the old container counts as stopped", () => {
    const world = aHost()
      .behindTraefik()
      .runs(container("web", 10))
      .keeps(...[9, 8, 7, 6, 5].map((version) => stopped("web", version)));
    expect(
      planFor(world, { config: config({ retainContainers: 3 }) }).roles[0]!.surplus.map(({ name }) => name),
    ).toEqual(["app-web-5", "app-web-6", "app-web-7"]);
  });

  test("a role without Traefik has no live file", () => {
    const workers = config({ roles: [role({ name: "workers", traefik: false })], primaryRole: "workers" });
    const plan = planFor(aHost(), { config: workers });
    expect(plan).toMatchObject({ traefik: { action: "none" }, roles: [{ routing: "none" }] });
  });
});

describe("health checks that cannot work are obstacles", () => {
  const noCurl = { imageHasCurl: false } as const;
  const withRole = (overrides: Parameters<typeof role>[0]) => ({ config: config({ roles: [role(overrides)] }) });

  test("an image without curl is probed through Traefik, without docker's health check", () => {
    const plan = planFor(aHost().behindTraefik().with(noCurl));
    expect(plan.roles[0]!.usesDockerHealthcheck).toBe(false);
    expect(obstacles(plan)).toEqual([]);
    expect(planFor(aHost().behindTraefik().with({ imageHasCurl: true })).roles[0]!.usesDockerHealthcheck).toBe(true);
    expect(planFor(aHost().behindTraefik()).roles[0]!.usesDockerHealthcheck).toBe(true);
  });

  test("neither a custom health check nor a kept container needs curl", () => {
    const own = withRole({ healthcheck: { ...role().healthcheck!, cmd: "bin/check" } });
    expect(planFor(aHost().behindTraefik().with(noCurl), own).roles[0]!.usesDockerHealthcheck).toBe(true);
    const back = planFor(aHost().behindTraefik().keeps(stopped("web", 2)).with(noCurl), { reuse: true });
    expect(back.roles[0]!.usesDockerHealthcheck).toBe(true);
  });

  test("a role without a probe route needs a health check that its image can run", () => {
    const workers = config({ roles: [role({ name: "workers", traefik: false })], primaryRole: "workers" });
    expect(obstacles(planFor(aHost().with(noCurl), { config: workers }))).toEqual([
      "the image has no curl that runs, which the health check of role workers needs: set servers.workers.healthcheck.cmd to a command that the image has",
    ]);
    const original = planFor(aHost().behindTraefikOfMrsk().with(noCurl));
    expect(obstacles(original)[0]).toContain("run `mrsk traefik reboot` first");
  });

  test("a Traefik that would exclude the container is an obstacle, running or configured", () => {
    const closed = aHost().behindTraefik({ args: [...TRAEFIK.args, "--providers.docker.exposedbydefault=false"] });
    expect(obstacles(planFor(closed))[0]).toMatch(/^Traefik would not route to role web: .*exposedbydefault/);
    const enabled = withRole({ labels: new Map([["traefik.enable", "true"]]) });
    expect(obstacles(planFor(closed, enabled))).toEqual([]);
    const wanted = { traefikArguments: ["--providers.docker.exposedbydefault=false"] };
    expect(obstacles(planFor(aHost(), wanted))[0]).toContain("exposedbydefault=false");
    const workers = config({ roles: [role({ traefik: false, healthcheck: undefined })] });
    expect(obstacles(planFor(closed, { config: workers }))).toEqual([]);
  });

  test("a host needs curl or wget", () => {
    expect(obstacles(planFor(aHost().behindTraefik().with({ canProbe: false })))[0]).toContain("mrsk server bootstrap");
    expect(obstacles(planFor(aHost().behindTraefikOfMrsk().with({ canProbe: false })))).toEqual([]);
    const closed = aHost().behindTraefik().with({ user: "ada", home: "/home/ada", runDirectoryWritable: false });
    expect(obstacles(planFor(closed))).toEqual([
      "ada may not write in its home directory /home/ada, where mrsk keeps its files",
    ]);
  });
});

describe("which container is live", () => {
  const file = (service: string) =>
    `http:\n  routers:\n    app-web:\n      rule: PathPrefix(\`/\`)\n      service: ${service}@docker\n`;
  const newer = container("web", 2);
  const older = container("web", 1);
  const web = role();

  test("the container that the live file names, though a newer one runs", () => {
    const world = aHost().runs(newer, older).withLiveFile("app-web", file("app-web-aaaaaaaa"));
    expect(liveContainer(config(), web, world.facts())).toBe(older);
  });

  test("a container of MRSK, which has no id", () => {
    const original = containerOfMrsk("web", 0);
    const world = aHost().runs(newer, original).withLiveFile("app-web", file("app-web"));
    expect(liveContainer(config(), web, world.facts())).toBe(original);
  });

  test("the newest running container, if the live file names a removed one", () => {
    const world = aHost().runs(newer, older).withLiveFile("app-web", file("app-web-cccccccc"));
    expect(liveContainer(config(), web, world.facts())).toBe(newer);
  });

  test("none, if nothing runs", () => {
    expect(liveContainer(config(), web, aHost().keeps(stopped("web", 1)).facts())).toBeUndefined();
  });
});

describe("a running Traefik and a network of the containers", () => {
  const plan = (network: string, networks: readonly string[]) =>
    planFor(aHost().behindTraefik({ networks }), { config: config({ network }) });

  test("joins the network if that cuts no connection", () => {
    expect(plan("private", ["bridge"]).join).toBe("private");
    expect(obstacles(plan("private", ["bridge"]))).toEqual([]);
  });

  test("does not join if it is on the network already, or on the host's", () => {
    expect(plan("private", ["bridge", "private"]).join).toBeUndefined();
    expect(plan("private", ["host"]).join).toBeUndefined();
  });

  test("is an obstacle if joining would cut open connections", () => {
    expect(obstacles(plan("apps", ["bridge"]))).toEqual([
      "Traefik is not on the network apps, and joining it now would cut the requests under way. Run `mrsk traefik reboot` first",
    ]);
    const starting = planFor(aHost().behindTraefik({ state: "exited" }), { config: config({ network: "apps" }) });
    expect(starting).toMatchObject({ join: "apps", traefik: { action: "start" } });
    expect(obstacles(starting)).toEqual([]);
  });
});
