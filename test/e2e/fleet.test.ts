import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { address, Fleet, network } from "./fleet-lab.ts";
import { Load } from "./load.ts";
import { ask, onServer, succeeded, sweep } from "./project.ts";

const SERVERS = ["a", "b", "c"] as const;
const THIRD = address("c");
const LIGHT = 20;

describe("all hosts change the version together, or revert together", () => {
  const fleet = new Fleet("fleet", SERVERS);
  let good = "";

  beforeAll(async () => {
    good = await fleet.start();
  });
  afterAll(() => sweep(...SERVERS));

  test("a deploy changes all hosts", async () => {
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
  });

  test("a version that is unhealthy only on the last server is live nowhere, and no request is lost", async () => {
    const bad = await fleet.round("unhealthy", { c: { FAIL_HEALTH: "1" } });
    const load = new Load(`http://${THIRD}`, { perSecond: LIGHT });
    const ran = await fleet.project.mrsk("redeploy");
    const { lost, requests } = await load.stop();
    await fleet.logState(`unhealthy on the last server, ${lost.length} of ${requests} lost there`);
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain(`${THIRD}: Wait until healthy (web): the new version did not become healthy`);
    expect(ran.stderr).toContain("503");
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(await onServer("c", `docker inspect -f '{{.State.Status}}' fleet-web-${bad}`)).toBe("exited");
    expect(lost).toEqual([]);
    expect(await fleet.locked()).toBe(false);
  });

  test("a version that crashes 3 s after the switch on one server is reverted on all", async () => {
    const bad = await fleet.round("crashing", {}, { boot: { watch: 20 } });
    const load = new Load(`http://${address("a")}`, { perSecond: LIGHT });
    const ran = await fleet.during(["redeploy"], "Watch the new containers", async () => {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await ask("c", "/crash");
    });
    const { lost, requests } = await load.stop();
    await fleet.logState(`crash 3 s after the switch, ${lost.length} of ${requests} lost on another server`);
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain(`The new container fleet-web-${bad} did not stay up`);
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(lost).toEqual([]);
    expect(await fleet.locked()).toBe(false);
  });

  test("a failure in the second group reverts the first group, which was finalized", async () => {
    await fleet.round("second group", { c: { FAIL_HEALTH: "1" } }, { boot: { limit: 2, wait: 0, watch: 1 } });
    const load = new Load(`http://${address("b")}`, { perSecond: LIGHT });
    const ran = await fleet.project.mrsk("redeploy");
    const { lost, requests } = await load.stop();
    await fleet.logState(`failure in the second group, ${lost.length} of ${requests} lost in the first`);
    expect(ran.status).toBe(6);
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(lost).toEqual([]);
    expect(await onServer("a", "cut -f 3 .mrsk/releases-fleet")).toBe(good);
    expect(await fleet.locked()).toBe(false);
  });

  test("if the same version is deployed again and fails, the old container keeps its state and name", async () => {
    const before = await onServer("a", `docker inspect -f '{{.Id}}' fleet-web-${good}`);
    await fleet.round("same version", { c: { FAIL_HEALTH: "1" } });
    const ran = await fleet.project.mrsk("redeploy", "-P", "--version", good);
    await fleet.logState("failure of the same version");
    expect(ran.status).toBe(6);
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(await onServer("a", `docker inspect -f '{{.Id}}' fleet-web-${good}`)).toBe(before);
  });

  test("a server that is cut off between start and switch is named, and repaired by the next run", async () => {
    const next = await fleet.round("cut before", { b: { START_DELAY_MS: "5000" } });
    const ran = await fleet.during(["redeploy"], `${THIRD}  fleet-web-${next} is healthy`, () => network("c", "cut"));
    await network("c", "restore");
    await fleet.logState("cut off between start and switch");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain(`${THIRD}  could not be reverted, and serves`);
    const seen = await fleet.state();
    expect([seen["a"], seen["b"]]).toEqual([fleet.everywhere(good)["a"], fleet.everywhere(good)["b"]]);
    expect(await fleet.locked()).toBe(false);
    succeeded(await fleet.project.mrsk("redeploy"));
    expect(await fleet.state()).toEqual(fleet.everywhere(next));
    good = next;
  });

  // The server's output still arrives: a watch that has begun finishes if it is shorter than the 20 s after which a script
  // without a heartbeat ends.

  test("a server that is cut off during the watch is named, and repaired by the next run", async () => {
    const next = await fleet.round("cut while watched", {}, { boot: { watch: 40 } });
    const ran = await fleet.during(["redeploy"], `${THIRD}  fleet-web-${next} is live`, () => network("c", "cut"));
    await network("c", "restore");
    await fleet.logState("cut off between switch and finalize, during the watch");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain(`${THIRD}  could not be reverted, and serves fleet-web-${next}`);
    const answers = Object.values(await fleet.state()).map((server) => server.answers);
    expect(answers).toEqual([good, good, next]);
    expect(await fleet.locked()).toBe(false);
    succeeded(await fleet.project.mrsk("redeploy"));
    expect(await fleet.state()).toEqual(fleet.everywhere(next));
    good = next;
  });

  test("a server that is cut off after its watch is named: the version is live on all, and remains", async () => {
    const next = await fleet.round("cut when finalizing", {}, { boot: { watch: 8 } });
    const ran = await fleet.during(["redeploy"], "Watch the new containers", async () => {
      // By then the watch script has reached the server.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      return network("c", "cut");
    });
    await network("c", "restore");
    await fleet.logState("cut off between switch and finalize, after the watch");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("The new version is live on every host. Cleanup failed:");
    const answers = Object.values(await fleet.state()).map((server) => server.answers);
    expect(answers).toEqual([next, next, next]);
    expect(await fleet.locked()).toBe(false);
    succeeded(await fleet.project.mrsk("redeploy"));
    expect(await fleet.state()).toEqual(fleet.everywhere(next));
    good = next;
  });

  test("a run that is killed leaves a lock, and the next run repairs the rest", async () => {
    const next = await fleet.round("killed");
    const running = fleet.project.start("redeploy");
    running.stderr.on("data", (text: Buffer) => text.toString().includes("is healthy") && running.kill("SIGKILL"));
    await running;
    await fleet.logState("the tool is killed");
    const refused = await fleet.project.mrsk("redeploy");
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain("Locked by: ");
    succeeded(await fleet.project.mrsk("lock", "release"));
    succeeded(await fleet.project.mrsk("redeploy"));
    await fleet.logState("the run after it");
    expect(await fleet.state()).toEqual(fleet.everywhere(next));
  });
});
