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

describe("what a live file says", () => {
  test.each([
    ["one alone", text(old), { live: "app-web-aaaaaaaa", canary: undefined, last: undefined }],
    [
      "a canary with its percentage",
      text(old, { container: next, percent: 7 }),
      { live: "app-web-aaaaaaaa", canary: { service: "app-web-bbbbbbbb", percent: 7 }, last: undefined },
    ],
    [
      "a canary on its way out",
      text(old, { container: next, percent: 0 }),
      { live: "app-web-aaaaaaaa", canary: { service: "app-web-bbbbbbbb", percent: 0 }, last: undefined },
    ],
    [
      "a switch that did not end",
      text(next, undefined, old),
      { live: "app-web-bbbbbbbb", canary: undefined, last: "app-web-aaaaaaaa" },
    ],
    ["no YAML", "a: [", { live: undefined, canary: undefined, last: undefined }],
    ["nothing", "", { live: undefined, canary: undefined, last: undefined }],
  ])("%s", (_, file, services) => {
    expect(liveServices(file, "app-web")).toEqual(services);
  });

  test("a rule with a template's braces is read back", () => {
    const labels = new Map([...next.labels, ["traefik.http.routers.app-web.rule", "Path(`/{{x}}`)"]]);
    expect(liveServices(text({ ...next, labels }), "app-web").live).toBe("app-web-bbbbbbbb");
  });

  test("a user's router that is called like ours is none", () => {
    const labels = new Map([...old.labels, ["traefik.http.routers.my-canary.rule", "Path(`/x`)"]]);
    expect(liveServices(text({ ...old, labels }), "app-web").canary).toBeUndefined();
  });
});

describe("a canary on a host", () => {
  const shared = text(old, { container: next, percent: 10 });

  test("the older one is live, the canary is known while it runs and after its crash", () => {
    const both = routedBy(shared).runs(next, old).facts();
    expect(liveContainer(config(), web, both)).toBe(old);
    expect(canaryOf(config(), web, both)).toEqual({ container: next, percent: 10 });
    const crashed = routedBy(shared).runs(old).keeps(stoppedNext).facts();
    expect(canaryOf(config(), web, crashed)).toEqual({ container: stoppedNext, percent: 10 });
    expect(canaryOf(config(), web, routedBy(shared).runs(old).facts())).toBeUndefined();
  });

  test("where the old one died, the canary has the requests; the old one is still what was live last", () => {
    const there = routedBy(shared).runs(next).keeps(stoppedOld).facts();
    expect(liveContainer(config(), web, there)).toBe(next);
    expect(lastLiveContainer(config(), web, there)).toBe(stoppedOld);
  });

  test("what was live last, where no file tells, is the newest that was not replaced", () => {
    const replaced = container("web", "2_replaced_0000000000000000", { created: next.created });
    expect(lastLiveContainer(config(), web, aHost().runs(replaced, old).facts())).toBe(old);
  });

  test("a change that did not end is known while the old container runs", () => {
    const file = text(next, undefined, old);
    expect(isUnfinished(config(), web, routedBy(file).runs(next, old).facts())).toBe(true);
    expect(isUnfinished(config(), web, routedBy(file).runs(next).keeps(stoppedOld).facts())).toBe(false);
    expect(isUnfinished(config(), web, routedBy(text(next)).runs(next, old).facts())).toBe(false);
  });

  test("promoted, it is taken as it runs, and is what the plan goes back to", () => {
    const [plan] = planFor(routedBy(shared).runs(next, old), { promote: true }).roles;
    expect(plan).toMatchObject({
      old,
      canary: { percent: 10 },
      next: { kept: next },
      stale: [],
      nameConflict: undefined,
    });
  });

  test("promoted after its crash, a new container takes its place", () => {
    const [plan] = planFor(routedBy(shared).runs(old).keeps(stoppedNext), { promote: true }).roles;
    expect(plan).toMatchObject({
      old,
      canary: undefined,
      next: { kept: undefined },
      nameConflict: { newName: undefined },
    });
  });

  test("promoted where the old one died, it is live already", () => {
    const [plan] = planFor(routedBy(shared).runs(next).keeps(stoppedOld), { promote: true }).roles;
    expect(plan).toMatchObject({ old: next, canary: undefined, next: { kept: next } });
  });

  test("promoted where the version is live wholly, it stays", () => {
    const [plan] = planFor(routedBy(text(next, undefined, old)).runs(next, old), { promote: true }).roles;
    expect(plan).toMatchObject({ old: next, canary: undefined, next: { kept: next }, stale: [old] });
  });

  test("a stopped container of the version is no canary: a new one is made", () => {
    const [plan] = planFor(routedBy(text(old)).runs(old).keeps(stoppedNext), { promote: true }).roles;
    expect(plan!.next.kept).toBeUndefined();
  });
});

describe("a weighted canary", () => {
  const percent = 10;

  test("is the plan's, for roles behind Traefik", () => {
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
  ])("cannot be where %s", (_, there, given, said) => {
    const found = obstacles(planFor(there, { percent, config: config({ roles: [given] }) }));
    expect(found).toEqual([expect.stringContaining(said)]);
  });
});

test.each([
  ["no YAML", "{{{"],
  ["a word", "word"],
  ["no sections", "http: { routers: null, services: null }"],
  ["a list for a section", "http: { routers: [], services: [] }"],
  ["shares that are none", "http: { routers: { app-web: { service: 3 } } }"],
  ["very deep lists", `http: ${"[".repeat(100_000)}`],
])("a live file that holds %s says nothing", (_what, written) => {
  expect(liveServices(written, "app-web")).toEqual({ live: undefined, canary: undefined, last: undefined });
});
