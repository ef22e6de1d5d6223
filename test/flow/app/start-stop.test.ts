import { expect, test } from "vitest";
import { liveFile } from "../../../src/traefik/live-file.ts";
import { startApp, stopApp } from "../../../src/flow/app/start-stop.ts";
import type { ContainerFact } from "../../../src/plan/facts.ts";
import { config, role } from "../../support/config.ts";
import { container } from "../../support/facts.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { observed } from "../../support/observed.ts";

const HOST = "192.0.2.1";
const web = role();
const jobs = role({ name: "jobs", traefik: false, healthcheck: undefined });
const STOPPED = { state: "exited" };
const live = container("app-web-1", STOPPED, "aaaaaaaa");
const failed = container("app-web-2", { ...STOPPED, created: "2026-02-02T00:00:00Z" }, "bbbbbbbb");
const naming = (named: ContainerFact) => new Map([["app-web", liveFile({ name: "app-web", live: named })]]);

function runOn(
  containers: readonly ContainerFact[],
  liveFiles: ReadonlyMap<string, string>,
  version?: string,
): FakeRun {
  const run = fakeRun(config({ roles: [jobs, web] }), { givenVersion: version });
  run.host(HOST);
  observed(run.hosts.get(HOST)!, { containers, liveFiles });
  return run;
}

const stepsOf = (run: FakeRun) => run.hosts.get(HOST)!.steps.join(" | ");
const up = (fact: ContainerFact) => ({ ...fact, state: "running" });
const job = container("app-jobs-1", { role: "jobs" });

test("a stop takes requests away, drains, stops every role, and leaves a file that names what was live", async () => {
  const run = runOn([up(live), job], naming(live));
  await stopApp(run);
  expect(stepsOf(run)).toMatch(
    /Take no more requests \(web\).*Drain app-web-1.*Stop app-jobs-1.*Stop app-web-1.*Let Traefik notice \(web\).*Write the live file \(web\).*Audit: Stopped app/,
  );
});

test("a second stop does nothing", async () => {
  const run = runOn([live, { ...job, ...STOPPED }], naming(live));
  await stopApp(run);
  expect(stepsOf(run)).not.toContain("Stop app");
});

test("a start takes the container that was live, not the newer one that failed", async () => {
  const run = runOn([failed, live, { ...job, ...STOPPED }], naming(live));
  await startApp(run);
  expect(stepsOf(run)).toMatch(
    /Write the preview.*Start app-web-1 \(web\).*Switch the requests over.*Start app-jobs-1/,
  );
  expect(stepsOf(run)).not.toContain("app-web-2");
  expect(stepsOf(run)).toContain("Audit: Started app version 1");
});

test("a start of what runs does nothing", async () => {
  const run = runOn([up(live), job], naming(live));
  await startApp(run);
  expect(run.events).toContainEqual({ kind: "note", text: "The app runs already" });
  expect(stepsOf(run)).not.toContain("Start app");
});

test("a start gives the requests back where a stop was cut off by a reboot", async () => {
  const closed = new Map([["app-web", liveFile({ name: "app-web", live, closed: true })]]);
  const run = runOn([up(live), job], closed);
  await startApp(run);
  expect(stepsOf(run)).toMatch(/Start app-web-1 \(web\).*Switch the requests over/);
  expect(stepsOf(run)).not.toContain("(jobs)");
});

test("a start of one role leaves the other, which runs, alone", async () => {
  const run = runOn([up(live), { ...job, ...STOPPED }], naming(live));
  await startApp(run);
  expect(stepsOf(run)).toContain("Start app-jobs-1 (jobs)");
  expect(stepsOf(run)).not.toContain("(web)");
});

test("a start that fails stops the container again", async () => {
  const run = runOn([live, { ...job, ...STOPPED }], naming(live));
  run.hosts.get(HOST)!.replies(/Wait until healthy \(web\)/, "not well", 66);
  await expect(startApp(run)).rejects.toMatchObject({ exitCode: 6 });
  expect(stepsOf(run)).toMatch(/Stop app-web-1.*Write the live file/);
});

test("another version is started only where none runs", async () => {
  const other = runOn([failed, live, { ...job, ...STOPPED }], naming(live), "2");
  await expect(startApp(other)).rejects.toMatchObject({
    exitCode: 2,
    message: `${HOST}: role jobs has no container to start`,
  });
  const running = runOn([failed, up(live), job], naming(live), "2");
  await expect(startApp(running)).rejects.toMatchObject({
    exitCode: 2,
    hint: "To change to another one: mrsk rollback 2",
  });
});

test("a canary that crashed is started again beside the live one, with its share", async () => {
  const canary = container("app-web-2", STOPPED, "bbbbbbbb");
  const file = liveFile({ name: "app-web", live, canary: { container: canary, percent: 10 } });
  const run = runOn([up(live), canary, job], new Map([["app-web", file]]));
  await startApp(run);
  expect(stepsOf(run)).toMatch(/Start the canary app-web-2.*Weight the requests again \(web\)/);
  expect(stepsOf(run)).not.toContain("Start app-web-1");
});

test("a canary that stopped with the app comes back with it", async () => {
  const canary = container("app-web-2", STOPPED, "bbbbbbbb");
  const file = liveFile({ name: "app-web", live, canary: { container: canary, percent: 10 } });
  const run = runOn([canary, live, job], new Map([["app-web", file]]));
  await startApp(run);
  expect(stepsOf(run)).toMatch(/Start app-web-1 \(web\).*Start the canary app-web-2/);
});
