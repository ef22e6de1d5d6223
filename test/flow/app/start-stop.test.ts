import { expect, test } from "vitest";
import { startApp, stopApp } from "../../../src/flow/app/start-stop.ts";
import { config, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { aHost, container, stopped, type World } from "../../support/world.ts";

const HOST = "192.0.2.1";
const behindTraefik = aHost(HOST).behindTraefik();
const web = role();
const jobs = role({ name: "jobs", traefik: false, healthcheck: undefined });
const live = container("web", 1);
const stoppedLive = stopped("web", 1);
const failed = stopped("web", 2);
const job = container("jobs", 1);
const stoppedJob = stopped("jobs", 1);

function runOn(world: World, version?: string): FakeRun {
  const run = fakeRun(config({ roles: [jobs, web] }), { givenVersion: version });
  world.fake(run);
  return run;
}

const stepsOf = (run: FakeRun) => run.hosts.get(HOST)!.steps.join(" | ");

test("a stop closes the route, drains, stops every role, and writes a file that names the container that was live", async () => {
  const run = runOn(behindTraefik.runs(live, job).routesTo(live));
  await stopApp(run);
  expect(stepsOf(run)).toMatch(
    /Close the route \(web\).*Drain app-web-1.*Stop app-jobs-1.*Stop app-web-1.*Wait until Traefik drops the route \(web\).*Write the live file \(web\).*Audit: Stopped app/,
  );
});

test("a second stop does nothing", async () => {
  const run = runOn(behindTraefik.keeps(stoppedLive, stoppedJob).routesTo(live));
  await stopApp(run);
  expect(stepsOf(run)).not.toContain("Stop app");
});

test("a start starts the container that was live, not a newer one that failed", async () => {
  const run = runOn(behindTraefik.keeps(failed, stoppedLive, stoppedJob).routesTo(live));
  await startApp(run);
  expect(stepsOf(run)).toMatch(
    /Write the probe route.*Start app-web-1 \(web\).*Switch the requests over.*Start app-jobs-1/,
  );
  expect(stepsOf(run)).not.toContain("app-web-2");
  expect(stepsOf(run)).toContain("Audit: Started app version 1");
});

test("a start of a running app does nothing", async () => {
  const run = runOn(behindTraefik.runs(live, job).routesTo(live));
  await startApp(run);
  expect(run.events).toContainEqual({ kind: "note", text: "The app is already running" });
  expect(stepsOf(run)).not.toContain("Start app");
});

test("a start opens the route again after a reboot interrupted a stop", async () => {
  const run = runOn(behindTraefik.runs(live, job).routesTo(live, { closed: true }));
  await startApp(run);
  expect(stepsOf(run)).toMatch(/Start app-web-1 \(web\).*Switch the requests over/);
  expect(stepsOf(run)).not.toContain("(jobs)");
});

test("a start of one role does not change the other, which is running", async () => {
  const run = runOn(behindTraefik.runs(live).keeps(stoppedJob).routesTo(live));
  await startApp(run);
  expect(stepsOf(run)).toContain("Start app-jobs-1 (jobs)");
  expect(stepsOf(run)).not.toContain("(web)");
});

test("a start that fails stops the container again", async () => {
  const run = runOn(behindTraefik.keeps(stoppedLive, stoppedJob).routesTo(live));
  run.hosts.get(HOST)!.replies(/Wait until healthy \(web\)/, "not well", 66);
  await expect(startApp(run)).rejects.toMatchObject({ exitCode: 6 });
  expect(stepsOf(run)).toMatch(/Stop app-web-1.*Write the live file/);
});

test("another version is started only if none is running", async () => {
  const other = runOn(behindTraefik.keeps(failed, stoppedLive, stoppedJob).routesTo(live), "2");
  await expect(startApp(other)).rejects.toMatchObject({
    exitCode: 2,
    message: `${HOST}: role jobs has no container to start`,
  });
  const running = runOn(behindTraefik.keeps(failed).runs(live, job).routesTo(live), "2");
  await expect(startApp(running)).rejects.toMatchObject({
    exitCode: 2,
    hint: "To change the version: mrsk rollback 2",
  });
});

test("a canary that crashed is started again, with its percentage of the requests", async () => {
  const canary = stopped("web", 2);
  const run = runOn(
    behindTraefik
      .runs(live, job)
      .keeps(canary)
      .routesTo(live, { canary: { container: canary, percent: 10 } }),
  );
  await startApp(run);
  expect(stepsOf(run)).toMatch(/Start the canary app-web-2.*Weight the requests again \(web\)/);
  expect(stepsOf(run)).not.toContain("Start app-web-1");
});

test("a canary that was stopped with the app is started with it", async () => {
  const canary = stopped("web", 2);
  const run = runOn(
    behindTraefik
      .runs(job)
      .keeps(canary, stoppedLive)
      .routesTo(live, { canary: { container: canary, percent: 10 } }),
  );
  await startApp(run);
  expect(stepsOf(run)).toMatch(/Start app-web-1 \(web\).*Start the canary app-web-2/);
});
