import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { address, Fleet } from "./fleet-lab.ts";
import { onServer, succeeded, sweep } from "./project.ts";

const SERVERS = ["b", "c"] as const;

describe("an interrupted run, and --no-revert", () => {
  const fleet = new Fleet("interrupt", SERVERS);
  let good = "";

  beforeAll(async () => {
    good = await fleet.start();
  });
  afterAll(() => sweep(...SERVERS));

  /** Sends the signals, 3 s apart, when the output contains the text. */
  const interrupted = async (text: string, ...signals: readonly NodeJS.Signals[]) => {
    const running = fleet.project.start("redeploy");
    let shown = "";
    let sent = false;
    running.stderr.on("data", (piece: Buffer) => {
      shown += piece.toString();
      if (sent || !shown.includes(text)) return;
      sent = true;
      signals.forEach((signal, i) => setTimeout(() => running.kill(signal), i * 3000));
    });
    const { exitCode, stderr } = await running;
    return { status: exitCode, stderr };
  };

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "%s while containers start: every host is reverted",
    async (signal) => {
      await fleet.round(`${signal} at the start`, { c: { START_DELAY_MS: "60000" } });
      const ran = await interrupted("is healthy", signal);
      await fleet.logState(`${signal} before the switch`);
      expect(ran.status).toBe(130);
      expect(await fleet.state()).toEqual(fleet.everywhere(good));
      expect(await fleet.locked()).toBe(false);
    },
  );

  test("after the switch the deploy finishes, and a second Ctrl-C prints what is running", async () => {
    const next = await fleet.round("interrupted late", {}, { boot: { watch: 12 } });
    const ran = await interrupted("Watch the new containers", "SIGINT", "SIGINT");
    await fleet.logState("Ctrl-C twice after the switch");
    expect(ran.status).toBe(0);
    expect(ran.stderr).toContain(
      "Not yet: the deploy lock is held, and is released at the end. Watch the new containers",
    );
    expect(ran.stderr).toMatch(new RegExp(`${address("b")}  Watch for 12 s \\(web\\), for \\d+ s`));
    expect(await fleet.state()).toEqual(fleet.everywhere(next));
    expect(await fleet.locked()).toBe(false);
    good = next;
  });

  test("--no-revert leaves the failed container running, and prints the command to roll back", async () => {
    const bad = await fleet.round("left for inspection", { c: { FAIL_HEALTH: "1" } });
    const ran = await fleet.project.mrsk("redeploy", "--no-revert");
    await fleet.logState("--no-revert");
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain(
      `${address("c")}  role web serves interrupt-web-${good}; interrupt-web-${bad} runs alongside it`,
    );
    expect(ran.stderr).toContain(`mrsk rollback ${good}`);
    expect(await onServer("c", `docker inspect -f '{{.State.Status}}' interrupt-web-${bad}`)).toBe("running");
    expect(await fleet.locked()).toBe(false);
    succeeded(await fleet.project.mrsk("rollback", good));
    expect(await fleet.state()).toEqual(fleet.everywhere(good));
  });
});
