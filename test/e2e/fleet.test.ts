import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

const SERVERS = ["a", "b", "c"] as const;
const THIRD = lab["LAB_C"]!;

/** Cuts the SSH traffic to server c, or lets it pass again: what is under way hears nothing more. */
async function network(what: "cut" | "mend"): Promise<void> {
  const rule = ["INPUT", "-p", "tcp", "--dport", "22", "-j", "DROP"];
  await execa("docker", ["exec", lab["LAB_C_CONTAINER"]!, "iptables", what === "cut" ? "-I" : "-D", ...rule]);
}

describe("the whole fleet goes forward or back together", () => {
  const project = new Project("fleet");
  let good = "";

  /** @param tags variables of the second and third server */
  const configure = (round: string, tags: Record<string, Record<string, string>> = {}) => {
    project.configure({
      servers: [lab["LAB_A"], { [lab["LAB_B"]!]: "second" }, { [THIRD]: "third" }],
      env: { clear: { ROUND: round }, tags: { second: { SECOND: "1" }, third: { THIRD: "1" }, ...tags } },
      healthcheck: { max_attempts: 4 },
      stop_wait_time: 3,
    });
    project.write("round.txt", round);
    return project.commit(`Round ${round}`);
  };

  /** What answers on port 80, what runs, and whether the lock is free. */
  const state = async () => {
    const versions = await Promise.all(SERVERS.map(async (server) => (await ask(server, "/version")).text.trim()));
    const running = await Promise.all(
      SERVERS.map((server) => onServer(server, "docker ps --filter label=service=fleet --format '{{.Names}}'")),
    );
    const lock = succeeded(await project.mrsk("lock", "status")).stdout;
    return { versions, running, lock };
  };

  const everywhere = (version: string) => ({
    versions: SERVERS.map(() => version),
    running: SERVERS.map(() => `fleet-web-${version}`),
    lock: "There is no deploy lock",
  });

  beforeAll(async () => {
    await sweep(...SERVERS);
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    good = await configure("good");
    succeeded(await project.mrsk("deploy"));
  });
  afterAll(() => sweep(...SERVERS));

  test("a deploy reaches all", async () => {
    expect(await state()).toEqual(everywhere(good));
  });

  test("a version that is unhealthy on the last server only goes nowhere", async () => {
    const bad = await configure("unhealthy", { third: { FAIL_HEALTH: "1" } });
    const ran = await project.mrsk("redeploy");
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain(`${THIRD}: Wait until healthy (web): the new version did not become healthy`);
    expect(ran.stderr).toContain("503");
    expect(await state()).toEqual(everywhere(good));
    expect(await onServer("c", `docker inspect -f '{{.State.Status}}' fleet-web-${bad}`)).toBe("exited");
  });

  test("a version that crashes after the switch on one server goes back everywhere", async () => {
    await configure("crashing", { third: { CRASH_AFTER_MS: "5000" } });
    const ran = await project.mrsk("redeploy");
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain("did not stay up");
    expect(await state()).toEqual(everywhere(good));
  });

  test("a server that is cut off before the switch is named, and made equal by the next run", async () => {
    const next = await configure("cut before", { second: { START_DELAY_MS: "5000" } });
    const running = project.start("redeploy");
    running.stderr.on("data", (text: Buffer) => {
      if (text.toString().includes(`${THIRD}  fleet-web-${next} is healthy`)) void network("cut");
    });
    const ended = await running;
    expect(ended.exitCode).toBe(5);
    expect(ended.stderr).toContain(`${THIRD}  could not be taken back, and serves`);
    await network("mend");
    const { versions } = await state();
    expect(versions.slice(0, 2)).toEqual([good, good]);
    succeeded(await project.mrsk("redeploy"));
    const after = await state();
    expect(after.versions).toEqual(SERVERS.map(() => next));
    expect(after).toEqual(everywhere(next));
    good = next;
  });

  test("a server that is cut off after the switch is named, and made equal by the next run", async () => {
    const next = await configure("cut after");
    const running = project.start("redeploy");
    running.stderr.on("data", (text: Buffer) => {
      if (text.toString().includes(`${THIRD}  fleet-web-${next} is live`)) void network("cut");
    });
    const ended = await running;
    expect(ended.exitCode).toBe(5);
    expect(ended.stderr).toContain(`${THIRD}  could not be taken back, and serves fleet-web-${next}`);
    await network("mend");
    expect((await state()).versions).toEqual([good, good, next]);
    succeeded(await project.mrsk("redeploy"));
    expect(await state()).toEqual(everywhere(next));
    good = next;
  });

  test("a run that is killed leaves a lock, and nothing that the next run does not mend", async () => {
    const next = await configure("killed");
    const running = project.start("redeploy");
    running.stderr.on("data", (text: Buffer) => text.toString().includes("is healthy") && running.kill("SIGKILL"));
    await running;
    const refused = await project.mrsk("redeploy");
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain("Locked by: ");
    succeeded(await project.mrsk("lock", "release"));
    succeeded(await project.mrsk("redeploy"));
    expect(await state()).toEqual(everywhere(next));
  });
});
