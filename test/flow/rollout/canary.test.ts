import { expect, test } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { canariesIn, endCanaries, rollBackWeighted, canaryRollback } from "../../../src/flow/rollout/canary.ts";
import { promote } from "../../../src/flow/rollout/promote.ts";
import { rollOut } from "../../../src/flow/rollout/roll-out.ts";
import { decide, type Decision } from "../../../src/plan/deploy.ts";
import type { HostFacts } from "../../../src/plan/facts.ts";
import { config, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { aHost, container, stopped, type World } from "../../support/world.ts";

const HOSTS = ["192.0.2.1", "192.0.2.2"];
const old = container("web", 1);
const stoppedOld = stopped("web", 1);
const next = container("web", 2);
const behindTraefik = aHost().behindTraefik();
/** The live file gives version 2 10% of the requests, and version 1 the others. */
const weighted = behindTraefik.routesTo(old, { canary: { container: next, percent: 10 } });
const boot = { limit: undefined, waitSeconds: 0, watchSeconds: 1 };

function fleet(overrides: Partial<Config> = {}): FakeRun {
  const run = fakeRun(config({ roles: [role({ hosts: HOSTS })], boot, ...overrides }));
  for (const name of HOSTS) run.host(name);
  return run;
}

/** The facts of all hosts. */
function everywhere(world: World): Map<string, HostFacts> {
  return new Map(HOSTS.map((host) => [host, world.named(host).facts()]));
}

function roll(run: FakeRun, seen: ReadonlyMap<string, HostFacts>, how: Partial<Decision>): Promise<void> {
  const plans = run.selection.app.map(({ host, roles }) =>
    decide({
      config: run.config,
      versionOn: () => "2",
      roles,
      facts: seen.get(host)!,
      newId: run.newId,
      reuse: false,
      traefikArguments: [],
      ...how,
    }),
  );
  return rollOut(run, plans, new Map(), { version: "2", prune: true, revert: true });
}

const stepsOf = (run: FakeRun, host: string) => run.hosts.get(host)!.steps.join(" | ");

test("a weighted canary starts, gets its percentage and is watched; the old container keeps running, and no version is recorded", async () => {
  const run = fleet();
  await roll(run, everywhere(behindTraefik.runs(old)), { percent: 10 });
  for (const host of HOSTS) {
    expect(stepsOf(run, host)).toMatch(
      /Start app-web-2.*Wait until healthy.*Give 10% of the requests to the new container \(web\) \| Watch for 1 s.*Write the live file/,
    );
    expect(stepsOf(run, host)).toContain("Audit: Started app version 2 as a canary with 10% of the requests");
    expect(stepsOf(run, host)).not.toMatch(/Stop |Keep|Drain|Record the version|Tag latest|Pruned containers/);
  }
});

test("a canary that does not stay up on one host is taken back on all", async () => {
  const run = fleet();
  run.hosts.get(HOSTS[1]!)!.replies(/Watch for/, "exited", 66);
  await expect(roll(run, everywhere(behindTraefik.runs(old)), { percent: 10 })).rejects.toMatchObject({ exitCode: 6 });
  for (const host of HOSTS) {
    expect(stepsOf(run, host)).toMatch(/Switch the requests back.*Drain.*Stop app-web-2.*Write the live file/);
    expect(stepsOf(run, host)).not.toContain("Start app-web-1 again");
  }
});

test("a promoted canary does not start again: it gets all requests, and the old container drains and stops", async () => {
  const run = fleet();
  await roll(run, everywhere(weighted.runs(next, old)), { promote: true });
  for (const host of HOSTS) {
    expect(stepsOf(run, host)).toMatch(
      /Switch the requests over.*Keep the new container.*Watch.*Drain the old container.*Stop the old container.*Record the version/,
    );
    expect(stepsOf(run, host)).toContain("Promoted the canary: booted app version 2");
  }
});

test("a failed promotion leaves the canary as it was, and removes the version from the list", async () => {
  const run = fleet({ boot: { ...boot, limit: 1 } });
  run.hosts.get(HOSTS[1]!)!.replies(/Watch for/, "unhealthy", 66);
  await expect(roll(run, everywhere(weighted.runs(next, old)), { promote: true })).rejects.toMatchObject({
    exitCode: 6,
  });
  expect(stepsOf(run, HOSTS[0]!)).toMatch(
    /Stop the old container.*Start app-web-1 again.*Weight the requests again.*Leave the canary as it is.*Remove the version from the list/,
  );
  expect(stepsOf(run, HOSTS[1]!)).toMatch(/Weight the requests again/);
  for (const host of HOSTS) expect(stepsOf(run, host)).not.toContain("Stop app-web-2");
});

test("taken back, it drains and stops after the requests have gone", async () => {
  const run = fleet();
  const seen = everywhere(weighted.runs(next, old));
  await rollBackWeighted(run, seen, canariesIn(run, seen));
  for (const host of HOSTS) {
    expect(stepsOf(run, host)).toMatch(
      /Switch the requests back \(web\) \| Keep the old container \(web\) \| Drain app-web-2 \(web\) \| Stop app-web-2 \(web\) \| Write the live file/,
    );
  }
});

test("where the old one has stopped, it is started first", async () => {
  const run = fleet();
  const seen = everywhere(weighted.runs(next).keeps(stoppedOld));
  await rollBackWeighted(run, seen, canariesIn(run, seen));
  expect(stepsOf(run, HOSTS[0]!)).toMatch(/Start app-web-1 again.*Wait until healthy.*Switch the requests back/);
});

test("where the old one was removed, nothing is taken back", async () => {
  const run = fleet();
  const seen = everywhere(weighted.runs(next));
  await expect(rollBackWeighted(run, seen, canariesIn(run, seen))).rejects.toMatchObject({ exitCode: 2 });
  expect(stepsOf(run, HOSTS[0]!)).toBe("");
});

test("a deploy of another version reverts the canary first, unless only the canary runs", async () => {
  const alone = everywhere(weighted.runs(next).keeps(stoppedOld));
  const run = fleet();
  expect(await endCanaries(run, "3", alone)).toBe(alone);
  await endCanaries(run, "3", everywhere(weighted.runs(next, old)));
  expect(stepsOf(run, HOSTS[0]!)).toMatch(/Switch the requests back.*Write the live file.*Docker engine/);
});

test("hosts with a canary by host roll back to the version deployed before it", () => {
  const seen = everywhere(behindTraefik.runs(next, old).released("0", "1").with({ canaryRelease: "2" }));
  expect(canaryRollback(fleet(), seen)).toMatchObject({ weighted: [], byHost: HOSTS, version: "1" });
});

test("without a list of deployed versions, the newest other container names the version before", () => {
  const seen = everywhere(behindTraefik.runs(next).keeps(stoppedOld).with({ canaryRelease: "2" }));
  expect(canaryRollback(fleet(), seen).version).toBe("1");
});

test("hosts that ran different versions before are an error that lists them", () => {
  const seen = everywhere(behindTraefik.runs(next).released("1").with({ canaryRelease: "2" }));
  seen.set(HOSTS[1]!, { ...seen.get(HOSTS[1]!)!, releases: ["0"] });
  expect(() => canaryRollback(fleet(), seen)).toThrow("Which version? 192.0.2.1: 1, 192.0.2.2: 0");
});

test("without a canary there is nothing to roll back, and promote is an error", async () => {
  const run = fleet();
  expect(canaryRollback(run, everywhere(behindTraefik.runs(old)))).toEqual({ weighted: [], byHost: [], version: "" });
  await expect(promote(run)).rejects.toMatchObject({
    exitCode: 2,
    hint: expect.stringContaining("mrsk deploy --canary 10%") as string,
  });
  expect(run.held.lock).toBe(false);
});
