import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { rollOut } from "../../src/flow/roll-out.ts";
import { decide } from "../../src/plan/deploy.ts";
import { config, role } from "../commands/support.ts";
import { container, facts, traefik } from "../support/facts.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";

const HOSTS = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];

function fleet(overrides: Partial<Config> = {}): FakeRun {
  const run = fakeRun(
    config({
      roles: [role({ hosts: HOSTS })],
      boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 },
      ...overrides,
    }),
  );
  for (const name of HOSTS) run.host(name);
  return run;
}

function roll(run: FakeRun): Promise<void> {
  const seen = new Map(
    HOSTS.map((host) => [
      host,
      facts({ host, traefik: traefik(), containers: [container("app-web-0", {}, "aaaaaaaa")] }),
    ]),
  );
  const plans = decide({
    config: run.config,
    version: "1",
    targets: run.selection.app,
    facts: seen,
    newId: run.newId,
    reuse: false,
    traefikArguments: [],
  });
  return rollOut(run, plans, new Map(), { prune: false });
}

const stepsOf = (run: FakeRun, host: string) => run.hosts.get(host)!.steps.join(" | ");

test("nobody switches before everybody has started, nobody stops the old before everybody has switched", async () => {
  const run = fleet();
  await roll(run);
  for (const host of HOSTS) {
    expect(stepsOf(run, host)).toMatch(
      /Start app-web-1.*Wait until healthy.*Ready.*Switch the requests over.*Stop the old container.*Write the live file/,
    );
  }
});

test("the first host of the primary role starts alone: a broken version meets no other", async () => {
  const run = fleet();
  run.hosts.get(HOSTS[0]!)!.replies(/Wait until healthy/, "not well", 66);
  await expect(roll(run)).rejects.toMatchObject({ name: "UnhealthyError", exitCode: 6 });
  expect(run.hosts.get(HOSTS[1]!)!.steps).toEqual([]);
});

test("a version that fails on the last host goes back on every host", async () => {
  const run = fleet();
  run.hosts.get(HOSTS[2]!)!.replies(/Wait until healthy/, "not well", 66);
  await expect(roll(run)).rejects.toMatchObject({ exitCode: 6 });
  for (const host of HOSTS.slice(0, 2)) {
    expect(stepsOf(run, host)).toMatch(/Switch the requests back.*Stop app-web-1/);
    expect(stepsOf(run, host)).not.toContain("Switch the requests over");
    expect(stepsOf(run, host)).not.toContain("Stop the old container");
  }
});

test("a failure in a later group takes the groups before it back too, starting their old containers again", async () => {
  const run = fleet({ boot: { limit: 1, waitSeconds: 0, watchSeconds: 0 } });
  run.hosts.get(HOSTS[1]!)!.replies(/Wait until healthy/, "not well", 66);
  await expect(roll(run)).rejects.toMatchObject({ exitCode: 6 });
  expect(stepsOf(run, HOSTS[0]!)).toMatch(
    /Stop the old container.*Start app-web-0 again.*Switch the requests back.*Stop app-web-1/,
  );
  expect(run.hosts.get(HOSTS[2]!)!.steps).toEqual([]);
});

test("a host that cannot be taken back is named, with what it serves", async () => {
  const run = fleet();
  run.hosts.get(HOSTS[0]!)!.replies(/Switch the requests back/, "link lost", 1);
  run.hosts.get(HOSTS[2]!)!.replies(/Wait until healthy/, "not well", 66);
  await expect(roll(run)).rejects.toMatchObject({ exitCode: 6 });
  expect(run.events).toContainEqual(
    expect.objectContaining({
      kind: "warning",
      host: HOSTS[0],
      text: expect.stringContaining("serves app-web-0") as string,
    }),
  );
});

test("an interrupted run goes back", async () => {
  const run = fleet({ boot: { limit: 1, waitSeconds: 0, watchSeconds: 0 } });
  Object.assign(run.clock, { sleep: async () => run.abort() });
  await expect(roll(run)).rejects.toMatchObject({ name: "InterruptedError", exitCode: 130 });
  expect(stepsOf(run, HOSTS[0]!)).toMatch(/Start app-web-0 again/);
});
