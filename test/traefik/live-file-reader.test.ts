import { describe, expect, test } from "vitest";
import { type Canary, liveFile } from "../../src/traefik/live-file.ts";
import { liveServices } from "../../src/traefik/live-file-reader.ts";
import { canaryOf, isUnfinished, lastLiveContainer, liveContainer } from "../../src/plan/containers.ts";
import { decide, type Decision } from "../../src/plan/deploy.ts";
import { obstacles } from "../../src/plan/obstacles.ts";
import type { ContainerFact } from "../../src/plan/facts.ts";
import { config, role } from "../support/config.ts";
import { aHost, container, stopped, type World } from "../support/world.ts";

const old = container("web", 1);
const next = container("web", 2);
const stoppedOld = stopped("web", 1);
const stoppedNext = stopped("web", 2);
const web = role();

function text(live: ContainerFact, canary?: Canary, last?: ContainerFact): string {
  return liveFile({ name: "app-web", live, canary, last });
}

/** A host behind Traefik with this live file of the role. */
function routedBy(file: string): World {
  return aHost().behindTraefik().withLiveFile("app-web", file);
}

function planFor(world: World, overrides: Partial<Decision>) {
  const there = world.facts();
  const given = overrides.config ?? config();
  const plan = decide({
    config: given,
    versionOn: () => "2",
    roles: given.roles,
    facts: there,
    newId: (digits) => "c".repeat(digits),
    reuse: false,
    traefikArguments: [],
    ...overrides,
  });
  return plan;
}

describe("the services of a live file", () => {
  test.each([
    ["a live container alone", text(old), { live: "app-web-aaaaaaaa", canary: undefined, last: undefined }],
    [
      "a canary with its percentage",
      text(old, { container: next, percent: 7 }),
      { live: "app-web-aaaaaaaa", canary: { service: "app-web-bbbbbbbb", percent: 7 }, last: undefined },
    ],
    [
      "a canary that is being removed",
      text(old, { container: next, percent: 0 }),
      { live: "app-web-aaaaaaaa", canary: { service: "app-web-bbbbbbbb", percent: 0 }, last: undefined },
    ],
    [
      "an interrupted switch",
      text(next, undefined, old),
      { live: "app-web-bbbbbbbb", canary: undefined, last: "app-web-aaaaaaaa" },
    ],
    ["invalid YAML", "a: [", { live: undefined, canary: undefined, last: undefined }],
    ["an empty file", "", { live: undefined, canary: undefined, last: undefined }],
  ])("%s", (_, file, services) => {
    expect(liveServices(file, "app-web")).toEqual(services);
  });

  test("a rule with a template's braces is read", () => {
    const labels = new Map([...next.labels, ["traefik.http.routers.app-web.rule", "Path(`/{{x}}`)"]]);
    expect(liveServices(text({ ...next, labels }), "app-web").live).toBe("app-web-bbbbbbbb");
  });

  test("a user's router with a name like mrsk's is ignored", () => {
    const labels = new Map([...old.labels, ["traefik.http.routers.my-canary.rule", "Path(`/x`)"]]);
    expect(liveServices(text({ ...old, labels }), "app-web").canary).toBeUndefined();
  });
});

describe("a canary on a host", () => {
  const shared = text(old, { container: next, percent: 10 });

  test("the older container is live, and the canary is found while it runs and after a crash", () => {
    const both = routedBy(shared).runs(next, old).facts();
    expect(liveContainer(config(), web, both)).toBe(old);
    expect(canaryOf(config(), web, both)).toEqual({ container: next, percent: 10 });
    const crashed = routedBy(shared).runs(old).keeps(stoppedNext).facts();
    expect(canaryOf(config(), web, crashed)).toEqual({ container: stoppedNext, percent: 10 });
    expect(canaryOf(config(), web, routedBy(shared).runs(old).facts())).toBeUndefined();
  });

  test("if the live container has died, the canary gets the requests; the dead one is still the last live container", () => {
    const there = routedBy(shared).runs(next).keeps(stoppedOld).facts();
    expect(liveContainer(config(), web, there)).toBe(next);
    expect(lastLiveContainer(config(), web, there)).toBe(stoppedOld);
  });

  test("without a live file, the last live container is the newest that was not replaced", () => {
    const replaced = container("web", "2_replaced_0000000000000000", { created: next.created });
    expect(lastLiveContainer(config(), web, aHost().runs(replaced, old).facts())).toBe(old);
  });

  test("an interrupted change is found while the old container runs", () => {
    const file = text(next, undefined, old);
    expect(isUnfinished(config(), web, routedBy(file).runs(next, old).facts())).toBe(true);
    expect(isUnfinished(config(), web, routedBy(file).runs(next).keeps(stoppedOld).facts())).toBe(false);
    expect(isUnfinished(config(), web, routedBy(text(next)).runs(next, old).facts())).toBe(false);
  });

  test("a promoted canary is not started again, and a revert restores it", () => {
    const [plan] = planFor(routedBy(shared).runs(next, old), { promote: true }).roles;
    expect(plan).toMatchObject({
      old,
      canary: { percent: 10 },
      next: { kept: next },
      stale: [],
      nameConflict: undefined,
    });
  });

  test("a canary that is promoted after a crash gets a new container", () => {
    const [plan] = planFor(routedBy(shared).runs(old).keeps(stoppedNext), { promote: true }).roles;
    expect(plan).toMatchObject({
      old,
      canary: undefined,
      next: { kept: undefined },
      nameConflict: { newName: undefined },
    });
  });

  test("a canary is live already if the live container has died", () => {
    const [plan] = planFor(routedBy(shared).runs(next).keeps(stoppedOld), { promote: true }).roles;
    expect(plan).toMatchObject({ old: next, canary: undefined, next: { kept: next } });
  });

  test("promoting a version that gets all requests changes nothing", () => {
    const [plan] = planFor(routedBy(text(next, undefined, old)).runs(next, old), { promote: true }).roles;
    expect(plan).toMatchObject({ old: next, canary: undefined, next: { kept: next }, stale: [old] });
  });

  test("a stopped container of the version is no canary: a new one is created", () => {
    const [plan] = planFor(routedBy(text(old)).runs(old).keeps(stoppedNext), { promote: true }).roles;
    expect(plan!.next.kept).toBeUndefined();
  });
});

describe("a weighted canary", () => {
  const percent = 10;

  test("is planned for roles behind Traefik", () => {
    const workers = role({ name: "workers", traefik: false });
    const plan = planFor(routedBy(text(old)).runs(old), { percent, config: config({ roles: [web, workers] }) });
    expect(plan.roles.map((one) => one.percent)).toEqual([10, undefined]);
    expect(obstacles(plan)).toEqual([]);
  });

  test.each([
    ["nothing runs", routedBy(""), web, "mrsk deploy"],
    ["Traefik reads no live files", aHost().behindTraefikOfMrsk().runs(old), web, "mrsk traefik reboot"],
    [
      "the role must not run twice",
      routedBy(text(old)).runs(old),
      role({ bootOrder: "stop_first" }),
      "boot.order: stop_first",
    ],
    ["the host is a canary itself", routedBy(text(old)).runs(old).with({ canaryRelease: "1" }), web, "mrsk promote"],
  ])("is refused if %s", (_, there, given, message) => {
    const found = obstacles(planFor(there, { percent, config: config({ roles: [given] }) }));
    expect(found).toEqual([expect.stringContaining(message)]);
  });
});

test.each([
  ["invalid YAML", "{{{"],
  ["a word", "word"],
  ["no sections", "http: { routers: null, services: null }"],
  ["a list instead of a section", "http: { routers: [], services: [] }"],
  ["an invalid service", "http: { routers: { app-web: { service: 3 } } }"],
  ["very deep lists", `http: ${"[".repeat(100_000)}`],
])("a live file that contains %s has no services", (_what, written) => {
  expect(liveServices(written, "app-web")).toEqual({ live: undefined, canary: undefined, last: undefined });
});
