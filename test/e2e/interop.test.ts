import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Load } from "./load.ts";
import { ORIGINAL_TRAEFIK, originalApp, pullOn } from "./original.ts";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

const IMAGE = `${lab["LAB_REGISTRY"]}/lab/interop:orig1`;

describe("a server set up by MRSK is taken over", () => {
  const project = new Project("interop");
  const host = lab["LAB_A"]!;
  let first = "";

  beforeAll(async () => {
    await sweep("a");
    project.configure({
      stop_wait_time: 8,
      servers: { web: [host], workers: { hosts: [host], cmd: "node server.js" } },
      readiness_delay: 1,
    });
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    first = await project.commit("Taken over");
    succeeded(await project.mrsk("build", "push", "--version", "orig1"));
    await pullOn("a", IMAGE);
    await onServer("a", ORIGINAL_TRAEFIK);
    await onServer("a", originalApp("interop", "web", IMAGE));
    await onServer("a", originalApp("interop", "workers", IMAGE));
    await onServer(
      "a",
      "echo '[2023-06-01T12:00:00Z] [deployer] [web] Booted app version orig1' >> mrsk-interop-audit.log",
    );
    for (let tries = 0; tries < 100 && (await ask("a", "/up")).status !== 200; tries++)
      await new Promise((resolve) => setTimeout(resolve, 200));
  });
  afterAll(() => sweep("a"));

  test("while MRSK holds its lock, mrsk refuses and names the owner", async () => {
    const details = Buffer.from(
      "Locked by: Ada at 2023-06-01T12:00:00Z\nVersion: orig1\nMessage: Automatic deploy lock",
    ).toString("base64");
    await onServer("a", `mkdir mrsk_lock && echo "${details}" > mrsk_lock/details`);
    const refused = await project.mrsk("redeploy");
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain("Locked by: Ada at 2023-06-01T12:00:00Z");
    await onServer("a", "rm -r mrsk_lock");
  });

  test("two redeploys and a rollback to MRSK's container work by labels", async () => {
    const load = new Load(`http://${host}`);
    const taken = succeeded(await project.mrsk("redeploy"));
    expect(taken.stderr).toContain("mrsk traefik reboot");
    expect((await ask("a", "/version")).text).toBe(`${first}\n`);
    project.write("round.txt", "2");
    await project.commit("Another");
    succeeded(await project.mrsk("redeploy"));
    succeeded(await project.mrsk("rollback", "orig1"));
    const { requests, lost, worstMilliseconds } = await load.stop();
    console.log(`interop, by labels: ${lost.length} of ${requests} lost, worst delay ${worstMilliseconds} ms`);
    // Without live files Traefik routes to a stopped container until it reads the state of docker again: MRSK loses the same.
    expect(lost.length / requests).toBeLessThan(0.15);
    expect((await ask("a", "/version")).text).toBe("interop-web-orig1\n");
    const running = await onServer("a", "docker ps --filter label=service=interop --format '{{.Names}}' | sort");
    expect(running).toBe("interop-web-orig1\ninterop-workers-orig1");
  });

  test("after a reboot of Traefik, live files switch from MRSK's container and back to it", async () => {
    succeeded(await project.mrsk("traefik", "reboot", "-y"));
    for (let tries = 0; tries < 100 && (await ask("a", "/up")).status !== 200; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const load = new Load(`http://${host}`);
    project.write("round.txt", "3");
    const third = await project.commit("By live files");
    succeeded(await project.mrsk("redeploy"));
    expect(await onServer("a", "cat /var/lib/mrsk/traefik/interop-web.yml")).toContain("service: interop-web-");
    expect((await ask("a", "/version")).text).toBe(`${third}\n`);
    succeeded(await project.mrsk("rollback", "orig1"));
    expect((await ask("a", "/version")).text).toBe("interop-web-orig1\n");
    const { requests, lost, worstMilliseconds } = await load.stop();
    console.log(`interop, by live files: ${lost.length} of ${requests} lost, worst delay ${worstMilliseconds} ms`);
    expect(lost).toEqual([]);
  });

  test("the audit log continues MRSK's log", async () => {
    const lines = succeeded(await project.mrsk("audit")).stdout;
    expect(lines).toContain("[deployer] [web] Booted app version orig1");
    expect(lines).toContain(`[web] Booted app version ${first}`);
  });
});
