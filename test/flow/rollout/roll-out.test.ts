import { describe, expect, test } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { SshError } from "../../../src/errors.ts";
import { rollOut, type RollOutOptions } from "../../../src/flow/rollout/roll-out.ts";
import { decide } from "../../../src/plan/deploy.ts";
import type { ContainerFact } from "../../../src/plan/facts.ts";
import { config, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { aHost, container } from "../../support/world.ts";

const HOSTS = ["192.0.2.1", "192.0.2.2", "192.0.2.3"] as const;
const [FIRST, SECOND, THIRD] = HOSTS;

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

const inTurn = { boot: { limit: 1, waitSeconds: 0, watchSeconds: 5 } };
const watched = { boot: { limit: undefined, waitSeconds: 0, watchSeconds: 5 } };
const WEB = container("web", 0);
const JOBS = container("jobs", 0);

interface Given extends Partial<RollOutOptions> {
  readonly version?: string;
  /** On each host, behind Traefik. */
  readonly running?: readonly ContainerFact[];
  readonly reuse?: boolean;
}

function roll(run: FakeRun, { version = "1", running = [WEB], reuse = false, ...options }: Given = {}): Promise<void> {
  const seen = new Map(
    HOSTS.map((host) => [
      host,
      aHost(host)
        .behindTraefik()
        .runs(...running)
        .facts(),
    ]),
  );
  let count = 0;
  const newId = (digits: number) => String(++count).padStart(digits, "0");
  const plans = run.selection.app.map(({ host, roles }) =>
    decide({
      config: run.config,
      versionOn: () => version,
      roles,
      facts: seen.get(host as (typeof HOSTS)[number])!,
      newId,
      reuse,
      traefikArguments: [],
    }),
  );
  return rollOut(run, plans, new Map(), { version, prune: false, revert: true, ...options });
}

const host = (run: FakeRun, name: string) => run.hosts.get(name)!;
const stepsOf = (run: FakeRun, name: string) => host(run, name).steps.join(" | ");
const first = (run: FakeRun, step: string) => run.transcript.findIndex((line) => line.includes(step));
const last = (run: FakeRun, step: string) => run.transcript.findLastIndex((line) => line.includes(step));
const warnings = (run: FakeRun) => run.events.flatMap((event) => (event.kind === "warning" ? [`${event.host}: ${event.text}`] : [])); // biome-ignore format: one line
const notes = (run: FakeRun) => run.events.flatMap((event) => (event.kind === "note" ? [`${event.host}: ${event.text}`] : [])); // biome-ignore format: one line

/** A step that takes until the promise is kept. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the order of the phases", () => {
  test("no host switches before all have started, and no old container stops before all hosts have passed the watch", async () => {
    const run = fleet(watched);
    const slowStart = gate();
    const slowWatch = gate();
    host(run, THIRD).when(/Wait until healthy/, () => slowStart.passed);
    host(run, SECOND).when(/^Watch/, () => slowWatch.passed);
    const rolling = roll(run);
    await settled();
    expect(first(run, "Switch the requests over")).toBe(-1);
    slowStart.open();
    await settled();
    for (const name of HOSTS) expect(stepsOf(run, name)).toContain("Switch the requests over");
    expect(first(run, "Stop the old container")).toBe(-1);
    slowWatch.open();
    await rolling;
    expect(last(run, "Ready")).toBeLessThan(first(run, "Switch the requests over"));
    expect(last(run, "Keep the new container")).toBeLessThan(first(run, "Watch for 5 s"));
    expect(last(run, "Watch for 5 s")).toBeLessThan(first(run, "Stop the old container"));
  });

  test("each host reports the time until its container is healthy, and then that it is live", async () => {
    const run = fleet();
    await roll(run);
    for (const name of HOSTS) {
      expect(notes(run)).toContain(`${name}: app-web-1 is healthy after 0.0 s`);
      expect(notes(run)).toContain(`${name}: app-web-1 is live instead of app-web-0`);
    }
  });

  test("the output of a drain is a note, a failed cleanup step a warning, and other output is neither", async () => {
    const run = fleet();
    host(run, FIRST).replies(/^Drain the old container/, "after 30 s: 2 connections will be closed");
    host(run, SECOND).fails(/^Tag latest/, "no such image");
    host(run, THIRD).replies(/^Write the live file/, "written");
    await roll(run);
    expect(notes(run)).toContain(`${FIRST}: Drain the old container (web): after 30 s: 2 connections will be closed`);
    expect(warnings(run)).toEqual([`${SECOND}: Tag latest: exit status 1 no such image`]);
    expect(notes(run).join("\n")).not.toContain("written");
  });

  test("the assets of both versions are collected on all hosts before a container starts, under a title", async () => {
    const run = fleet({ roles: [role({ hosts: HOSTS, assetPath: "/app/public" })] });
    await roll(run);
    const collected = last(run, "Collect assets");
    expect(collected).toBeGreaterThan(-1);
    expect(collected).toBeLessThan(first(run, "Start app-web-1"));
    const text = "Collect the assets of the old and the new version...";
    expect(run.events).toContainEqual({ kind: "title", text });
  });

  test("a group finalizes before the next one starts", async () => {
    const run = fleet(inTurn);
    await roll(run);
    const ofHost = (name: string) => run.transcript.filter((line) => line.startsWith(name));
    expect(run.transcript).toEqual([...ofHost(FIRST), ...ofHost(SECOND), ...ofHost(THIRD)]);
  });

  test("the first host of the primary role starts alone: a broken version reaches no other host", async () => {
    const run = fleet();
    host(run, FIRST).replies(/Wait until healthy/, "not well", 66);
    await expect(roll(run)).rejects.toMatchObject({ name: "HostsFailedError", exitCode: 6 });
    expect(host(run, SECOND).steps).toEqual([]);
  });

  test("restart policies move with the switch", async () => {
    const run = fleet();
    await roll(run);
    expect(stepsOf(run, FIRST)).toMatch(/Switch the requests over.*Keep the new container.*Stop the old container/);
  });

  const jobs = role({ name: "jobs", traefik: false, hosts: HOSTS, healthcheck: undefined });

  test("roles without Traefik start when every routed role of the group is ready", async () => {
    const run = fleet({ roles: [jobs, role({ hosts: HOSTS })] });
    await roll(run, { running: [WEB, JOBS] });
    expect(last(run, "Wait until healthy (web)")).toBeLessThan(first(run, "Start app-jobs-1 (jobs)"));
    expect(last(run, "Wait until healthy (jobs)")).toBeLessThan(first(run, "Stop the old containers (jobs, web)"));
  });

  test("old containers with different times to stop have a command each", async () => {
    const run = fleet({ roles: [{ ...jobs, stopWaitSeconds: 30 }, role({ hosts: HOSTS })] });
    await roll(run, { running: [WEB, JOBS] });
    const { transcript } = host(run, FIRST);
    const stops = transcript.filter((line) => line.includes("Stop the old container")).join("\n");
    expect(stops).toMatch(/Stop the old container \(jobs\)[^]*docker stop -t 30 /);
    expect(stops).toMatch(/Stop the old container \(web\)[^]*docker stop (?!-t)/);
  });

  test("a primary role that starts in the switch phase passes the gate too", async () => {
    const run = fleet({ roles: [jobs], primaryRole: "jobs" });
    host(run, FIRST).replies(/Wait until healthy/, "not well", 66);
    await expect(roll(run, { running: [JOBS] })).rejects.toMatchObject({ exitCode: 6 });
    expect(host(run, SECOND).steps).toEqual([]);
  });

  test("a stop_first role stops its old container when all other roles are ready", async () => {
    const single = role({ name: "jobs", traefik: false, bootOrder: "stop_first", hosts: HOSTS });
    const run = fleet({ roles: [single, role({ hosts: HOSTS })] });
    await roll(run, { running: [WEB, JOBS] });
    expect(last(run, "Wait until healthy (web)")).toBeLessThan(first(run, "Stop the old container (jobs)"));
    expect(stepsOf(run, FIRST)).toMatch(/Stop the old container \(jobs\).*Start app-jobs-1/);
    expect(stepsOf(run, FIRST).match(/Stop the old container \(jobs\)/g)).toHaveLength(1);
  });

  test("all roles of a host are watched together", async () => {
    const run = fleet({ roles: [jobs, role({ hosts: HOSTS })], ...watched });
    await roll(run, { running: [WEB, JOBS] });
    expect(stepsOf(run, FIRST).match(/Watch for/g)).toHaveLength(1);
    expect(stepsOf(run, FIRST)).toContain("Watch for 5 s (jobs, web)");
  });
});

describe("the undo of each point of failure", () => {
  test("start: the other hosts are interrupted, and no route has changed", async () => {
    const run = fleet();
    host(run, SECOND).when(/Wait until healthy/, settled);
    host(run, THIRD).replies(/Wait until healthy/, "not well", 66);
    await expect(roll(run)).rejects.toMatchObject({ exitCode: 6, message: expect.not.stringContaining("Interrupted") }); // biome-ignore format: one line
    for (const name of HOSTS) {
      expect(stepsOf(run, name)).toMatch(/Ensure app-web-0 runs.*Stop app-web-1.*Write the live file/);
      expect(stepsOf(run, name)).not.toContain("Switch the requests");
      expect(stepsOf(run, name)).not.toContain("Stop the old container");
    }
    expect(stepsOf(run, SECOND)).not.toContain("Ready");
  });

  test("switch: every host routes to its old container, and only then the new ones stop", async () => {
    const run = fleet();
    host(run, SECOND).replies(/Switch the requests over/, "disk full", 1);
    await expect(roll(run)).rejects.toMatchObject({ exitCode: 5 });
    for (const name of HOSTS) {
      expect(stepsOf(run, name)).toMatch(
        /Ensure app-web-0 runs.*Switch the requests back.*Keep the old container.*Drain app-web-1.*Stop app-web-1.*Write the live file/,
      );
    }
  });

  test("watch: a container that fails ends the watch of the others", async () => {
    const run = fleet(watched);
    const never = gate();
    host(run, FIRST).when(/^Watch/, () => Promise.race([never.passed, settled()]));
    host(run, THIRD).replies(/^Watch/, "did not stay up", 66);
    await expect(roll(run)).rejects.toMatchObject({ exitCode: 6 });
    for (const name of HOSTS) {
      expect(stepsOf(run, name)).toMatch(/Switch the requests back/);
      expect(stepsOf(run, name)).not.toContain("Stop the old container");
    }
  });

  test("a later group: the finalized hosts start their old containers, probe them, and switch back", async () => {
    const run = fleet(inTurn);
    host(run, SECOND).replies(/Wait until healthy/, "not well", 66);
    await expect(roll(run)).rejects.toMatchObject({ exitCode: 6 });
    expect(stepsOf(run, FIRST)).toMatch(
      /Stop the old container.*Start app-web-0 again.*Wait until healthy.*Probe it through Traefik.*Switch the requests back.*Keep the old container.*Stop app-web-1.*Remove the version from the list/,
    );
    expect(stepsOf(run, SECOND)).not.toContain("Remove the version from the list");
    expect(host(run, THIRD).steps).toEqual([]);
  });

  test("finalize of a group that is not the last: every host is reverted", async () => {
    const run = fleet(inTurn);
    host(run, FIRST).when(/Stop the old container/, () => {
      throw new SshError(FIRST, "the connection was lost");
    });
    await expect(roll(run)).rejects.toMatchObject({ exitCode: 5 });
    expect(stepsOf(run, FIRST)).toContain("Switch the requests back");
    expect(host(run, SECOND).steps).toEqual([]);
  });

  test("finalize of the last group: the version stays, and the error names the host", async () => {
    const run = fleet();
    host(run, THIRD).when(/Stop the old container/, () => {
      throw new SshError(THIRD, "the connection was lost");
    });
    await expect(roll(run)).rejects.toMatchObject({
      exitCode: 5,
      message: `The new version is live on every host. Cleanup failed:\n${THIRD}: the connection was lost`,
    });
    for (const name of HOSTS) expect(stepsOf(run, name)).not.toContain("Switch the requests back");
    expect(host(run, THIRD).steps.filter((step) => step.startsWith("Stop the old"))).toHaveLength(2);
  });

  test("a stop_first role never runs twice during a revert", async () => {
    const single = role({ name: "jobs", traefik: false, bootOrder: "stop_first", hosts: HOSTS });
    const run = fleet({ roles: [single, role({ hosts: HOSTS })], ...watched });
    host(run, THIRD).replies(/^Watch/, "did not stay up", 66);
    await expect(roll(run, { running: [WEB, JOBS] })).rejects.toMatchObject({ exitCode: 6 });
    expect(stepsOf(run, FIRST)).toMatch(/Stop app-jobs-1.*Start app-jobs-0 again.*Wait until healthy \(jobs\)/);
  });

  test("a role without Traefik does not change if a routed role does not start", async () => {
    const jobs = role({ name: "jobs", traefik: false, hosts: HOSTS });
    const run = fleet({ roles: [jobs, role({ hosts: HOSTS })] });
    host(run, THIRD).replies(/Wait until healthy/, "not well", 66);
    await expect(roll(run, { running: [WEB, JOBS] })).rejects.toMatchObject({ exitCode: 6 });
    expect(stepsOf(run, FIRST)).not.toContain("jobs");
  });

  test("the same version again: the old container is never mistaken for the new one, and gets its name again", async () => {
    const run = fleet();
    host(run, THIRD).replies(/Wait until healthy/, "not well", 66);
    const same = container("web", 1);
    const commands: string[] = [];
    const original = host(run, FIRST).run.bind(host(run, FIRST));
    host(run, FIRST).run = async (script, options) => {
      const { redact } = await import("../../../src/script/command.ts");
      commands.push(...[...script.steps.map(({ body }) => body), ...(script.cleanup ? [script.cleanup] : [])].map(redact)); // biome-ignore format: one line
      return original(script, options);
    };
    await expect(roll(run, { running: [same] })).rejects.toMatchObject({ exitCode: 6 });
    expect(commands.filter((command) => /docker stop .*app-web-1\b/.test(command))).toEqual([]);
    expect(commands.filter((command) => command.includes('docker stop "$next"') || command.includes('docker stop -t 5 "$next"'))).not.toEqual([]); // biome-ignore format: one line
    expect(stepsOf(run, FIRST)).toMatch(/Rename app-web-1.*Stop app-web-1.*Restore the names/);
    expect(commands.join("\n")).toContain("docker rename id-of-app-web-1 app-web-1");
  });

  test("a failed rollback to the live version stops nothing", async () => {
    const run = fleet();
    host(run, THIRD).replies(/Wait until healthy/, "not well", 66);
    await expect(roll(run, { version: "0", reuse: true })).rejects.toMatchObject({ exitCode: 6 });
    for (const name of HOSTS) {
      expect(stepsOf(run, name)).not.toContain("Stop app-web-0");
      expect(stepsOf(run, name)).toContain("Ensure app-web-0 runs");
    }
  });

  test("a failed first deploy leaves nothing running", async () => {
    const run = fleet(watched);
    host(run, THIRD).replies(/^Watch/, "did not stay up", 66);
    await expect(roll(run, { running: [] })).rejects.toMatchObject({ exitCode: 6 });
    expect(stepsOf(run, FIRST)).toMatch(/Watch.*Stop app-web-1.*Write the live file/);
    expect(notes(run)).toContain(`${FIRST}: role web runs nothing, as before`);
  });
});

describe("hosts that cannot be reverted", () => {
  const lost = (name: string) => () => {
    throw new SshError(name, "the connection was lost");
  };

  test.each([
    ["while it starts", /Write the probe route/, "serves app-web-0:"],
    ["while it switches", /Switch the requests over/, "serves app-web-0 or app-web-1:"],
    ["while it is watched", /^Watch/, "serves app-web-1:"],
  ])(
    "a host that is lost %s is reported with the container it serves; the others are reverted",
    async (_, at, serves) => {
      const run = fleet(watched);
      host(run, THIRD)
        .when(at, lost(THIRD))
        .when(/Wait for docker/, lost(THIRD));
      await expect(roll(run)).rejects.toMatchObject({ exitCode: 5 });
      expect(warnings(run)).toEqual([expect.stringContaining(`${THIRD}: could not be reverted, and ${serves}`)]);
      expect(notes(run)).toContain(`${FIRST}: role web runs app-web-0`);
      expect(host(run, THIRD).steps.filter((step) => step === "Wait for docker")).toHaveLength(2);
    },
  );

  test("a host that is reachable again in time is reverted", async () => {
    const run = fleet();
    host(run, THIRD).when(/Switch the requests over/, lost(THIRD));
    let times = 0;
    host(run, THIRD).when(/Wait for docker/, () => void (times++ === 0 && lost(THIRD)()));
    await expect(roll(run)).rejects.toMatchObject({ exitCode: 5 });
    expect(warnings(run)).toEqual([]);
    expect(notes(run)).toContain(`${THIRD}: role web runs app-web-0`);
  });
});

describe("--no-revert", () => {
  test("leaves every host as it is, and reports what each serves and the next commands", async () => {
    const run = fleet(inTurn);
    host(run, SECOND).replies(/Wait until healthy/, "not well", 66);
    await expect(roll(run, { revert: false })).rejects.toMatchObject({ exitCode: 6 });
    for (const name of HOSTS) expect(stepsOf(run, name)).not.toMatch(/Wait for docker|Stop app-web-1/);
    expect(notes(run)).toEqual(
      expect.arrayContaining([
        `${FIRST}: role web serves app-web-1; app-web-0 is stopped`,
        `${SECOND}: role web serves app-web-0; app-web-1 runs alongside it`,
        `${THIRD}: role web serves app-web-0, as before`,
        expect.stringContaining("mrsk rollback 0"),
      ]),
    );
  });

  test("removes the cleanup from the script: the failed container keeps running for an inspection", async () => {
    const run = fleet();
    const cleanups: boolean[] = [];
    const original = host(run, FIRST).run.bind(host(run, FIRST));
    host(run, FIRST).run = (script, options) => {
      cleanups.push(script.cleanup !== undefined);
      return original(script, options);
    };
    await roll(run, { revert: false });
    expect(cleanups).toEqual([false, false, false]);
  });
});

describe("an interruption", () => {
  test("while a container starts reverts", async () => {
    const run = fleet();
    host(run, SECOND).when(/Wait until healthy/, () => run.abort());
    await expect(roll(run)).rejects.toMatchObject({ name: "InterruptedError", exitCode: 130 });
    for (const name of HOSTS) {
      expect(stepsOf(run, name)).not.toContain("Switch the requests over");
      expect(stepsOf(run, name)).toContain("Stop app-web-1");
    }
  });

  test.each([
    ["during the switch", /Switch the requests over/],
    ["during the watch", /^Watch/],
    ["while the old ones stop", /Stop the old container/],
  ])("%s of the last group lets the deploy finish", async (_, at) => {
    const run = fleet(watched);
    host(run, SECOND).when(at, () => run.abort());
    await roll(run);
    for (const name of HOSTS) {
      expect(stepsOf(run, name)).toMatch(/Switch the requests over.*Watch.*Stop the old container.*Record the version/);
      expect(stepsOf(run, name)).not.toContain("Wait for docker");
    }
  });

  test.each([
    ["the switch", /Switch the requests over/],
    ["the watch", /^Watch/],
    ["the pause", undefined],
  ])("in %s of an earlier group reverts every host", async (_, at) => {
    const run = fleet({ boot: { limit: 2, waitSeconds: 1, watchSeconds: 5 } });
    if (at) host(run, FIRST).when(at, () => run.abort());
    else Object.assign(run.clock, { sleep: async () => run.abort() });
    await expect(roll(run)).rejects.toMatchObject({ name: "InterruptedError", exitCode: 130 });
    for (const name of [FIRST, SECOND]) expect(stepsOf(run, name)).toContain("Switch the requests back");
    expect(host(run, THIRD).steps).toEqual([]);
  });

  test("before an earlier group has finalized stops no old container first", async () => {
    const run = fleet({ boot: { limit: 2, waitSeconds: 1, watchSeconds: 5 } });
    host(run, FIRST).when(/^Watch/, () => run.abort());
    await expect(roll(run)).rejects.toMatchObject({ exitCode: 130 });
    expect(first(run, "Stop the old container")).toBe(-1);
  });
});
