import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { deploy } from "../../src/flow/rollout/deploy.ts";
import { pruneAll, pruneContainers, pruneImages } from "../../src/flow/prune.ts";
import { config, role } from "../support/config.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { aHost, container, stopped, type World } from "../support/world.ts";

const HOST = "192.0.2.1";
const settings = (overrides: Partial<Config> = {}) =>
  config({
    roles: [role(), role({ name: "jobs", traefik: false, healthcheck: undefined })],
    boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 },
    ...overrides,
  });

function runWith(app: Config, world: World): FakeRun {
  const run = fakeRun(app);
  world.fake(run);
  return run;
}

const removed = (run: FakeRun) =>
  run.hosts
    .get(HOST)!
    .commands.filter((command) => command.startsWith("docker container rm"))
    .flatMap((command) => command.match(/id-of-\S+/g) ?? []);

const MANY = aHost(HOST)
  .behindTraefik()
  .runs(container("web", 9), container("jobs", 9))
  .keeps(
    stopped("web", 8),
    stopped("web", 7),
    stopped("web", 6),
    stopped("web", 5, { state: "paused" }),
    stopped("jobs", 8),
    stopped("jobs", 7),
    stopped("web", 6, { destination: "staging" }),
    stopped("old", 1),
  );

test("each role keeps its newest containers, and those of another destination do not count", async () => {
  const run = runWith(settings({ retainContainers: 1 }), MANY);
  await pruneContainers(run, undefined);
  expect(removed(run)).toEqual(["id-of-app-web-7", "id-of-app-web-6", "id-of-app-jobs-7"]);
  expect(run.events).toContainEqual({
    kind: "note",
    host: HOST,
    text: "removed app-web-7, app-web-6, app-jobs-7",
  });
});

test("--retain sets how many are kept, 0 included: running and paused containers remain", async () => {
  const run = runWith(settings(), MANY);
  await pruneAll(run, 0);
  expect(removed(run)).toEqual([
    "id-of-app-web-8",
    "id-of-app-web-7",
    "id-of-app-web-6",
    "id-of-app-jobs-8",
    "id-of-app-jobs-7",
  ]);
  expect(run.hosts.get(HOST)!.steps).toContain("Prune images");
});

test("a destination prunes only its own containers", async () => {
  const run = runWith(settings({ destination: "staging" }), MANY);
  await pruneContainers(run, 0);
  expect(removed(run)).toEqual(["id-of-app-web-staging-6"]);
});

test("prune images runs docker once on every app host", async () => {
  const run = runWith(settings(), MANY);
  await pruneImages(run);
  expect(removed(run)).toEqual([]);
  expect(run.hosts.get(HOST)!.steps).toEqual([
    "Acquire the lock",
    "Prune images",
    "Audit: Pruned images",
    "Release the lock",
  ]);
});

test("a failed prune does not fail the deploy, and is a warning", async () => {
  const app = settings({ roles: [role()], retainContainers: 1 });
  const world = aHost(HOST).behindTraefik().runs(container("web", 0));
  const run = runWith(app, world.keeps(stopped("web", 9), stopped("web", 8)));
  run.hosts.get(HOST)!.replies(/^Prune/, "docker is busy", 1);
  await deploy(run, { skipPush: true });
  expect(run.hosts.get(HOST)!.steps).toContain("Prune containers (web)");
  const warnings = run.events.flatMap((event) => (event.kind === "warning" ? [event.text.trim()] : []));
  expect(warnings).toEqual(["Prune containers (web): exit status 1", "Prune images: exit status 1"]);
});
