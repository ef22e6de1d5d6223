import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { address, answering, Fleet, inServer, reboot } from "./fleet-lab.ts";
import { ask, onServer, succeeded, sweep } from "./project.ts";

/** The first host, which starts before the others; the host that fails; a host that can be slow. */
const SERVERS = ["b", "c", "a"] as const;
const BROKEN = address("c");

describe("a machine fails while versions change", () => {
  const fleet = new Fleet("machine", SERVERS);
  let good = "";

  beforeAll(async () => {
    await inServer("c", "sh", "-c", "umount /var/lib/mrsk; true");
    await sweep(...SERVERS);
    await inServer("c", "sh", "-c", "mkdir -p /var/lib/mrsk && mount -t tmpfs -o size=256k tmpfs /var/lib/mrsk");
    good = await fleet.first();
  });
  afterAll(async () => {
    await inServer("c", "sh", "-c", "docker rm -f traefik; umount -l /var/lib/mrsk; true");
    await sweep(...SERVERS);
  });

  test("a full disk: no server changes", async () => {
    await fleet.round("disk full");
    await onServer("c", "dd if=/dev/zero of=/var/lib/mrsk/fill bs=1k 2>/dev/null || true");
    const ran = await fleet.project.mrsk("redeploy");
    await onServer("c", "rm /var/lib/mrsk/fill");
    await fleet.logState("disk full on one server");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("No space left on device");
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(await fleet.locked()).toBe(false);
  });

  test("a disk that fills between start and switch: no server changes", async () => {
    const bad = await fleet.round("disk fills", { a: { START_DELAY_MS: "3000" } });
    const ran = await fleet.during(["redeploy"], `${BROKEN}  machine-web-${bad} is healthy`, () =>
      onServer("c", "dd if=/dev/zero of=/var/lib/mrsk/fill bs=1k 2>/dev/null || true"),
    );
    await onServer("c", "rm /var/lib/mrsk/fill");
    await fleet.logState("disk fills between start and switch");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("No space left on device");
    const answers = Object.values(await fleet.state()).map((server) => server.answers);
    expect(answers).toEqual([good, good, good]);
    expect(await fleet.locked()).toBe(false);
  });

  test("docker's daemon is killed during the watch: every server reverts", async () => {
    await fleet.round("daemon killed", {}, { boot: { watch: 30 } });
    const ran = await fleet.during(["redeploy"], "Watch the new containers", async () => {
      await inServer(
        "c",
        "sh",
        "-c",
        "pkill -KILL -x dockerd; sleep 2; rm -f /var/run/docker.pid; service docker start",
      );
    });
    await answering("c");
    await fleet.logState("docker's daemon killed during the watch");
    expect(ran.status).not.toBe(0);
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
    expect(await fleet.locked()).toBe(false);
  });
});

describe("a server reboots while versions change", () => {
  const fleet = new Fleet("reboot", SERVERS);
  let good = "";

  beforeAll(async () => {
    good = await fleet.start();
  });
  afterAll(() => sweep(...SERVERS));

  test("after a reboot before the switch only the old version runs", async () => {
    const next = await fleet.round("reboot after prepare", { a: { START_DELAY_MS: "60000" } });
    const running = fleet.project.start("redeploy");
    const ready = `${BROKEN}  reboot-web-${next} is healthy`;
    running.stderr.on("data", (text: Buffer) => text.toString().includes(ready) && running.kill("SIGKILL"));
    await running;
    expect(await onServer("c", `docker inspect -f '{{.State.Status}}' reboot-web-${next}`)).toBe("running");
    await reboot("c");
    const wanted = fleet.everywhere(good)["c"];
    expect(await eventually(async () => (await fleet.state())["c"], wanted)).toEqual(wanted);
    await fleet.logState("a reboot after prepare");
    succeeded(await fleet.project.mrsk("lock", "release"));
  });

  test("after a reboot after the switch only the new version runs, and the next run repairs the rest", async () => {
    const next = await fleet.round("reboot after the switch", {}, { boot: { watch: 60 } });
    const running = fleet.project.start("redeploy");
    running.stderr.on("data", (text: Buffer) => text.toString().includes("Watch the new") && running.kill("SIGKILL"));
    await running;
    await reboot("c");
    const wanted = fleet.everywhere(next)["c"];
    expect(await eventually(async () => (await fleet.state())["c"], wanted)).toEqual(wanted);
    await fleet.logState("a reboot after the switch");
    succeeded(await fleet.project.mrsk("lock", "release"));
    const fixed = await fleet.round("after the reboot");
    succeeded(await fleet.project.mrsk("redeploy"));
    expect(await fleet.state()).toEqual(fleet.everywhere(fixed));
    expect((await ask("c", "/up")).status).toBe(200);
  });
});

/** Polls until the value is the expected one, 20 times at most. @returns the last value */
async function eventually<T>(observe: () => Promise<T>, expected: T): Promise<T> {
  for (let tries = 0; ; tries++) {
    const value = await observe();
    if (tries >= 20 || JSON.stringify(value) === JSON.stringify(expected)) return value;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
