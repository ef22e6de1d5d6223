import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { address, answering, Fleet, inServer, reboot } from "./fleet-lab.ts";
import { ask, onServer, succeeded, sweep } from "./project.ts";

/** The first is the gate, the second the one that breaks, the third one that can be slow. */
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

  test("a full disk: nobody changes", async () => {
    await fleet.round("disk full");
    await onServer("c", "dd if=/dev/zero of=/var/lib/mrsk/fill bs=1k 2>/dev/null || true");
    const ran = await fleet.project.mrsk("redeploy");
    await onServer("c", "rm /var/lib/mrsk/fill");
    await fleet.tell("disk full on one server");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("No space left on device");
    expect(await fleet.seen()).toEqual(fleet.everywhere(good));
    expect(await fleet.locked()).toBe(false);
  });

  test("a disk that fills between prepare and switch: nobody changes", async () => {
    const bad = await fleet.round("disk fills", { a: { START_DELAY_MS: "3000" } });
    const ran = await fleet.during(["redeploy"], `${BROKEN}  machine-web-${bad} is healthy`, () =>
      onServer("c", "dd if=/dev/zero of=/var/lib/mrsk/fill bs=1k 2>/dev/null || true"),
    );
    await onServer("c", "rm /var/lib/mrsk/fill");
    await fleet.tell("disk fills between prepare and switch");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("No space left on device");
    const answers = Object.values(await fleet.seen()).map((server) => server.answers);
    expect(answers).toEqual([good, good, good]);
    expect(await fleet.locked()).toBe(false);
  });

  test("docker's daemon is killed during the watch: every server goes back", async () => {
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
    await fleet.tell("docker's daemon killed during the watch");
    expect(ran.status).not.toBe(0);
    expect(await fleet.seen()).toEqual(fleet.everywhere(good));
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

  test("a reboot after prepare revives the old version alone", async () => {
    const next = await fleet.round("reboot after prepare", { a: { START_DELAY_MS: "60000" } });
    const running = fleet.project.start("redeploy");
    const ready = `${BROKEN}  reboot-web-${next} is healthy`;
    running.stderr.on("data", (text: Buffer) => text.toString().includes(ready) && running.kill("SIGKILL"));
    await running;
    expect(await onServer("c", `docker inspect -f '{{.State.Status}}' reboot-web-${next}`)).toBe("running");
    await reboot("c");
    const wanted = fleet.everywhere(good)["c"];
    expect(await eventually(async () => (await fleet.seen())["c"], wanted)).toEqual(wanted);
    await fleet.tell("a reboot after prepare");
    succeeded(await fleet.project.mrsk("lock", "release"));
  });

  test("a reboot after the switch revives the new version alone, and the next run mends the rest", async () => {
    const next = await fleet.round("reboot after the switch", {}, { boot: { watch: 60 } });
    const running = fleet.project.start("redeploy");
    running.stderr.on("data", (text: Buffer) => text.toString().includes("Watch the new") && running.kill("SIGKILL"));
    await running;
    await reboot("c");
    const wanted = fleet.everywhere(next)["c"];
    expect(await eventually(async () => (await fleet.seen())["c"], wanted)).toEqual(wanted);
    await fleet.tell("a reboot after the switch");
    succeeded(await fleet.project.mrsk("lock", "release"));
    const mended = await fleet.round("after the reboot");
    succeeded(await fleet.project.mrsk("redeploy"));
    expect(await fleet.seen()).toEqual(fleet.everywhere(mended));
    expect((await ask("c", "/up")).status).toBe(200);
  });
});

/** What is seen, as soon as it is what is wanted, or after some tries. */
async function eventually<T>(look: () => Promise<T>, wanted: T): Promise<T> {
  for (let tries = 0; ; tries++) {
    const seen = await look();
    if (tries >= 20 || JSON.stringify(seen) === JSON.stringify(wanted)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
