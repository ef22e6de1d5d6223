import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { address, Fleet, network } from "./fleet-lab.ts";
import { Load } from "./load.ts";
import { ask, onServer, succeeded, sweep } from "./project.ts";

const SERVERS = ["a", "b", "c"] as const;
const THIRD = address("c");
const LIGHT = 20;

describe("the whole fleet goes forward or back together", () => {
  const fleet = new Fleet("fleet", SERVERS);
  let good = "";

  beforeAll(async () => {
    good = await fleet.start();
  });
  afterAll(() => sweep(...SERVERS));

  test("a deploy reaches all", async () => {
    expect(await fleet.seen()).toEqual(fleet.everywhere(good));
  });

  test("a version that is unhealthy on the last server only goes nowhere, and loses no request", async () => {
    const bad = await fleet.round("unhealthy", { c: { FAIL_HEALTH: "1" } });
    const load = new Load(`http://${THIRD}`, { perSecond: LIGHT });
    const ran = await fleet.project.mrsk("redeploy");
    const { lost, requests } = await load.stop();
    await fleet.tell(`unhealthy on the last server, ${lost.length} of ${requests} lost there`);
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain(`${THIRD}: Wait until healthy (web): the new version did not become healthy`);
    expect(ran.stderr).toContain("503");
    expect(await fleet.seen()).toEqual(fleet.everywhere(good));
    expect(await onServer("c", `docker inspect -f '{{.State.Status}}' fleet-web-${bad}`)).toBe("exited");
    expect(lost).toEqual([]);
    expect(await fleet.locked()).toBe(false);
  });

  test("a version that crashes 3 s after the switch on one server goes back everywhere", async () => {
    const bad = await fleet.round("crashing", {}, { boot: { watch: 20 } });
    const load = new Load(`http://${address("a")}`, { perSecond: LIGHT });
    const ran = await fleet.during(["redeploy"], "Watch the new containers", async () => {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await ask("c", "/crash");
    });
    const { lost, requests } = await load.stop();
    await fleet.tell(`crash 3 s after the switch, ${lost.length} of ${requests} lost on another server`);
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain(`The new container fleet-web-${bad} did not stay up`);
    expect(await fleet.seen()).toEqual(fleet.everywhere(good));
    expect(lost).toEqual([]);
    expect(await fleet.locked()).toBe(false);
  });

  test("a failure in the second group takes back the first, which had settled", async () => {
    await fleet.round("second group", { c: { FAIL_HEALTH: "1" } }, { boot: { limit: 2, wait: 0, watch: 1 } });
    const load = new Load(`http://${address("b")}`, { perSecond: LIGHT });
    const ran = await fleet.project.mrsk("redeploy");
    const { lost, requests } = await load.stop();
    await fleet.tell(`failure in the second group, ${lost.length} of ${requests} lost in the first`);
    expect(ran.status).toBe(6);
    expect(await fleet.seen()).toEqual(fleet.everywhere(good));
    expect(lost).toEqual([]);
    expect(await onServer("a", "cut -f 3 .mrsk/releases-fleet")).toBe(good);
    expect(await fleet.locked()).toBe(false);
  });

  test("the same version again that fails leaves the old container as it was, under its name", async () => {
    const before = await onServer("a", `docker inspect -f '{{.Id}}' fleet-web-${good}`);
    await fleet.round("same version", { c: { FAIL_HEALTH: "1" } });
    const ran = await fleet.project.mrsk("redeploy", "-P", "--version", good);
    await fleet.tell("failure of the same version");
    expect(ran.status).toBe(6);
    expect(await fleet.seen()).toEqual(fleet.everywhere(good));
    expect(await onServer("a", `docker inspect -f '{{.Id}}' fleet-web-${good}`)).toBe(before);
  });

  test("a server that is cut off between prepare and switch is named, and made equal by the next run", async () => {
    const next = await fleet.round("cut before", { b: { START_DELAY_MS: "5000" } });
    const ran = await fleet.during(["redeploy"], `${THIRD}  fleet-web-${next} is healthy`, () => network("c", "cut"));
    await network("c", "mend");
    await fleet.tell("cut off between prepare and switch");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain(`${THIRD}  could not be reverted, and serves`);
    const seen = await fleet.seen();
    expect([seen["a"], seen["b"]]).toEqual([fleet.everywhere(good)["a"], fleet.everywhere(good)["b"]]);
    expect(await fleet.locked()).toBe(false);
    succeeded(await fleet.project.mrsk("redeploy"));
    expect(await fleet.seen()).toEqual(fleet.everywhere(next));
    good = next;
  });

  // What the server says still arrives: a watch that has begun comes to its end where it is shorter than the 20 s after
  // which a script without a heartbeat ends.

  test("a server that is cut off while it is watched is named, and made equal by the next run", async () => {
    const next = await fleet.round("cut while watched", {}, { boot: { watch: 40 } });
    const ran = await fleet.during(["redeploy"], `${THIRD}  fleet-web-${next} is live`, () => network("c", "cut"));
    await network("c", "mend");
    await fleet.tell("cut off between switch and settle, while watched");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain(`${THIRD}  could not be reverted, and serves fleet-web-${next}`);
    const answers = Object.values(await fleet.seen()).map((server) => server.answers);
    expect(answers).toEqual([good, good, next]);
    expect(await fleet.locked()).toBe(false);
    succeeded(await fleet.project.mrsk("redeploy"));
    expect(await fleet.seen()).toEqual(fleet.everywhere(next));
    good = next;
  });

  test("one that is cut off when its watch is over is named: the version has passed everywhere, and stays", async () => {
    const next = await fleet.round("cut when settling", {}, { boot: { watch: 8 } });
    const ran = await fleet.during(["redeploy"], "Watch the new containers", async () => {
      // By then the server has been told to watch.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      return network("c", "cut");
    });
    await network("c", "mend");
    await fleet.tell("cut off between switch and settle, after the watch");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("The new version is live on every host. Cleanup failed:");
    const answers = Object.values(await fleet.seen()).map((server) => server.answers);
    expect(answers).toEqual([next, next, next]);
    expect(await fleet.locked()).toBe(false);
    succeeded(await fleet.project.mrsk("redeploy"));
    expect(await fleet.seen()).toEqual(fleet.everywhere(next));
    good = next;
  });

  test("a run that is killed leaves a lock, and nothing that the next run does not mend", async () => {
    const next = await fleet.round("killed");
    const running = fleet.project.start("redeploy");
    running.stderr.on("data", (text: Buffer) => text.toString().includes("is healthy") && running.kill("SIGKILL"));
    await running;
    await fleet.tell("the tool is killed");
    const refused = await fleet.project.mrsk("redeploy");
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain("Locked by: ");
    succeeded(await fleet.project.mrsk("lock", "release"));
    succeeded(await fleet.project.mrsk("redeploy"));
    await fleet.tell("the run after it");
    expect(await fleet.seen()).toEqual(fleet.everywhere(next));
  });
});
