import { describe, expect, test } from "vitest";
import { endMaintenance, startMaintenance } from "../../../src/flow/app/maintenance.ts";
import { startApp, stopApp } from "../../../src/flow/app/start-stop.ts";
import { bootVersion } from "../../../src/flow/rollout/boot.ts";
import { config, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { aHost, container, stopped, type World } from "../../support/world.ts";

const HOST = "192.0.2.1";
const behindTraefik = aHost(HOST).behindTraefik();
const live = container("web", 1);
const job = container("jobs", 1);
const served = behindTraefik.runs(live, job).routesTo(live);
const inMaintenance = behindTraefik.runs(live, job).routesTo(live, { maintenance: true });

function runOn(world: World, overrides: Parameters<typeof fakeRun>[1] = {}): FakeRun {
  const jobs = role({ name: "jobs", traefik: false, healthcheck: undefined });
  const run = fakeRun(config({ roles: [jobs, role()], drainTimeoutSeconds: 30 }), overrides);
  world.fake(run);
  return run;
}

const stepsOf = (run: FakeRun) => run.hosts.get(HOST)!.steps;
/** The first line of each live file that the run writes. */
const written = (run: FakeRun) =>
  run.hosts
    .get(HOST)!
    .texts.filter((text) => text.includes("write_live_file"))
    .map((text) => /write_live_file \S+ \S+ '?(.*)$/m.exec(text)![1]);

test("maintenance answers 503, lets requests finish, and stops nothing", async () => {
  const run = runOn(served);
  await startMaintenance(run, {});
  expect(stepsOf(run).slice(-5)).toEqual([
    "Change the route (web)",
    "Write the live file (web)",
    "Drain app-web-1",
    "Audit: Started maintenance",
    "Release the lock",
  ]);
  expect(written(run)).toEqual(["# maintenance", "# maintenance"]);
  expect(run.hosts.get(HOST)!.commands.join("\n")).not.toContain("docker stop");
});

test("app live routes the requests to the app again", async () => {
  const run = runOn(inMaintenance);
  await endMaintenance(run);
  expect(written(run)).toEqual(["http:", "http:"]);
  expect(stepsOf(run)).toContain("Audit: Ended maintenance");
  expect(stepsOf(run)).not.toContain("Drain app-web-1");
});

test("--drain-timeout limits the wait, and a busy connection is reported", async () => {
  const run = runOn(served);
  run.hosts.get(HOST)!.replies(/^Drain app-web-1$/, "1 connection is still busy\n");
  await startMaintenance(run, { drainTimeout: 3 });
  expect(run.hosts.get(HOST)!.commands.join("\n")).toContain("drain_container id-of-app-web-1 3 ");
  expect(run.events).toContainEqual({
    kind: "note",
    host: HOST,
    text: "Drain app-web-1: 1 connection is still busy",
  });
});

test("a message is not shown to clients, which a warning says", async () => {
  const run = runOn(served);
  await startMaintenance(run, { message: "Soon" });
  expect(run.events).toContainEqual({
    kind: "warning",
    text: "--message has no effect: Traefik answers 503 without a page",
  });
});

describe("maintenance remains", () => {
  test("through a deploy, which mentions it", async () => {
    const run = runOn(inMaintenance);
    await bootVersion(run, "2", { reuse: false, prune: false });
    const files = written(run);
    expect(files.length).toBeGreaterThanOrEqual(3);
    expect(new Set(files)).toEqual(new Set(["# maintenance"]));
    expect(run.events).toContainEqual({
      kind: "note",
      host: HOST,
      text: "in maintenance (web): `mrsk app live` ends it",
    });
  });

  test("through a deploy that fails", async () => {
    const run = runOn(inMaintenance);
    run.hosts.get(HOST)!.replies(/^Wait until Traefik has switched \(web\)$/, "", 1);
    await expect(bootVersion(run, "2", { reuse: false, prune: false })).rejects.toThrow(
      "Wait until Traefik has switched (web)",
    );
    expect(written(run).at(-1)).toBe("# maintenance");
  });

  test("through a stop and a start", async () => {
    const stopping = runOn(inMaintenance);
    await stopApp(stopping);
    expect(written(stopping)).toEqual(["# closed", "# maintenance"]);
    const starting = runOn(
      behindTraefik.keeps(stopped("web", 1), stopped("jobs", 1)).routesTo(live, { maintenance: true }),
    );
    await startApp(starting);
    expect(written(starting).at(-1)).toBe("# maintenance");
  });

  test("for a running app: a start changes nothing", async () => {
    const run = runOn(inMaintenance);
    await startApp(run);
    expect(written(run)).toEqual([]);
    expect(run.events).toContainEqual({ kind: "note", text: "The app is already running" });
  });
});

test("a stopped app has maintenance too, without a probe of its container", async () => {
  const run = runOn(behindTraefik.keeps(stopped("web", 1)).routesTo(live));
  await startMaintenance(run, {});
  expect(written(run)).toEqual(["# maintenance"]);
  expect(stepsOf(run)).not.toContain("Change the route (web)");
});

test.each([
  [behindTraefik, `${HOST}: role web has no container. Run \`mrsk deploy\` first`],
  [
    aHost(HOST).behindTraefikOfMrsk().runs(live),
    `${HOST}: role web: its Traefik reads no live files. Run \`mrsk traefik reboot\` first`,
  ],
])("is refused where mrsk cannot direct the requests, and changes nothing", async (world, message) => {
  const run = runOn(world);
  await expect(startMaintenance(run, {})).rejects.toThrow(message);
  expect(written(run)).toEqual([]);
});

test("is an error for roles that Traefik does not route to", async () => {
  const filters = { hosts: undefined, roles: ["jobs"], primary: false };
  const run = runOn(served);
  const jobs = run.selection.app.map((target) => ({
    ...target,
    roles: target.roles.filter(({ traefik }) => !traefik),
  }));
  const selected = { ...run, filters, selection: { ...run.selection, app: jobs } };
  await expect(startMaintenance(selected, {})).rejects.toThrow("Traefik routes to no role of the selected hosts");
});
