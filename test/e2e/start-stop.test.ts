import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { address, Fleet, reboot } from "./fleet-lab.ts";
import { ask, onServer, succeeded, sweep } from "./project.ts";

const SERVERS = ["a"] as const;

describe("app stop and app start", () => {
  const fleet = new Fleet("pause", SERVERS);
  const roles = {
    servers: {
      web: [address("a")],
      jobs: { hosts: [address("a")], cmd: "node -e 'setInterval(() => {}, 1000)'" },
    },
    readiness_delay: 1,
    boot: { watch: 1 },
  };
  let good = "";
  const running = () => onServer("a", "docker ps --filter label=service=pause --format '{{.Names}}' | sort | xargs");
  const both = () => `pause-jobs-${good} pause-web-${good}`;

  beforeAll(async () => {
    good = await fleet.start({ ...roles, env: { clear: { ROUND: "good" } } });
  });
  afterAll(() => sweep(...SERVERS));

  test("a version that fails changes nothing", async () => {
    await fleet.round("bad", {}, { ...roles, env: { clear: { FAIL_HEALTH: "1" } } });
    expect((await fleet.project.mrsk("redeploy")).status).toBe(6);
    expect(await running()).toBe(both());
    await fleet.round("fixed", {}, { ...roles, env: { clear: { ROUND: "fixed" } } });
  });

  test("a stop drains the app, then Traefik answers 503", async () => {
    const slow = ask("a", "/slow?ms=3000");
    await new Promise((resolve) => setTimeout(resolve, 300));
    succeeded(await fleet.project.mrsk("app", "stop"));
    expect((await slow).status).toBe(200);
    expect((await ask("a", "/version")).status).toBe(503);
    expect(await running()).toBe("");
  });

  test("a second stop changes nothing, and a reboot starts no container", async () => {
    succeeded(await fleet.project.mrsk("app", "stop"));
    await reboot("a");
    expect(await running()).toBe("");
    // Traefik opens its port before it has read the live files.
    await expect.poll(async () => (await ask("a", "/version")).status, { timeout: 20_000 }).toBe(503);
  });

  test("a start starts the same version, not the version that failed since", async () => {
    succeeded(await fleet.project.mrsk("app", "start"));
    expect(await running()).toBe(both());
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${good}\n` });
  });

  test("a second start changes nothing", async () => {
    const again = succeeded(await fleet.project.mrsk("app", "start"));
    expect(again.stderr).toContain("The app is already running");
    expect(await running()).toBe(both());
  });

  test("stop and start of one role", async () => {
    succeeded(await fleet.project.mrsk("app", "stop", "-r", "jobs"));
    expect(await running()).toBe(`pause-web-${good}`);
    succeeded(await fleet.project.mrsk("app", "start"));
    expect(await running()).toBe(both());
    expect((await ask("a", "/version")).status).toBe(200);
  });

  test("app boot creates new containers of the live version", async () => {
    const before = await onServer("a", `docker inspect -f '{{.Id}}' pause-web-${good}`);
    succeeded(await fleet.project.mrsk("app", "boot"));
    expect(await running()).toBe(both());
    expect(await onServer("a", `docker inspect -f '{{.Id}}' pause-web-${good}`)).not.toBe(before);
  });
});
