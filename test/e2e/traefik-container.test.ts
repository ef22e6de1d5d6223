import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lab, onServer, succeeded, sweep } from "./project.ts";
import { site, traefiks, visit } from "./site.ts";

/** The only server of these tests. */
const SERVER = "b";

describe("the commands of Traefik on one server", () => {
  const app = site("alone", SERVER, "deploy");

  beforeAll(async () => {
    await sweep(SERVER);
    await app.commit();
  });
  afterAll(async () => {
    await onServer(SERVER, "chmod 755 /home/deploy");
    await sweep(SERVER);
  });

  test("boot names the program that uses the port, before any change", async () => {
    succeeded(await app.project.mrsk("build", "deliver"));
    const image = await onServer(SERVER, "docker images --format '{{.Repository}}:{{.Tag}}' | grep alone | head -n 1");
    await onServer(SERVER, `docker run -d --name squatter -p 80:3000 ${image}`);
    for (const words of [["traefik", "boot"], ["deploy"]]) {
      const ran = await app.project.mrsk(...words);
      expect(ran.status).toBe(5);
      expect(ran.stderr).toContain("port 80, which Traefik needs, is taken by the container squatter");
    }
    expect(await onServer(SERVER, "docker ps -aq --filter name=traefik")).toBe("");
    await onServer(SERVER, "docker rm -f squatter");
  });

  test("boot runs an absent Traefik, starts a stopped one, and keeps one that differs", async () => {
    expect(succeeded(await app.project.mrsk("traefik", "boot")).stderr).toContain("Traefik started");
    expect(succeeded(await app.project.mrsk("traefik", "boot")).stderr).toContain("Traefik is already running");
    succeeded(await app.project.mrsk("traefik", "stop"));
    succeeded(await app.project.mrsk("traefik", "stop"));
    expect(await onServer(SERVER, "docker inspect -f '{{.State.Status}}' traefik")).toBe("exited");
    expect(succeeded(await app.project.mrsk("traefik", "boot")).stderr).toContain(
      "Traefik was stopped, and was started",
    );
    app.configure({ args: { accesslog: true } });
    const ran = succeeded(await app.project.mrsk("traefik", "boot"));
    expect(ran.stderr).toContain("Traefik is running, but it lacks --accesslog. `mrsk traefik reboot` replaces it.");
    app.configure();
  });

  test("start, stop, restart, details, logs and the hidden removals act on the container, and are in the audit log", async () => {
    for (const words of [["stop"], ["start"], ["restart"]]) succeeded(await app.project.mrsk("traefik", ...words));
    expect(succeeded(await app.project.mrsk("traefik", "details")).stdout).toMatch(
      /Traefik Host: .*\n.*\n.* traefik\n/,
    );
    expect(succeeded(await app.project.mrsk("traefik", "logs")).stdout).toContain("Traefik version 3");
    succeeded(await app.project.mrsk("traefik", "stop"));
    succeeded(await app.project.mrsk("traefik", "remove-container"));
    expect(await onServer(SERVER, "docker ps -aq --filter name=traefik")).toBe("");
    const missing = await app.project.mrsk("traefik", "start");
    expect(missing).toMatchObject({ status: 5, stderr: expect.stringContaining("mrsk traefik boot") as string });
    succeeded(await app.project.mrsk("traefik", "stop"));
    succeeded(await app.project.mrsk("traefik", "remove-image"));
    expect(await onServer(SERVER, "docker images -q traefik")).toBe("");
    const lines = (await onServer(SERVER, "cat /home/deploy/mrsk-alone-audit.log"))
      .split("\n")
      .map((line) => line.split("] ").at(-1));
    expect(lines.slice(-9)).toEqual([
      "Stopped traefik",
      "Started traefik",
      "Stopped traefik",
      "Started traefik",
      "Stopped traefik",
      "Removed traefik container",
      "Failed (exit status 1): Started traefik",
      "Stopped traefik",
      "Removed traefik image",
    ]);
  });

  test("every setting has its effect in the container", async () => {
    app.configure({
      host_port: 8088,
      args: { accesslog: true, api: true },
      options: { publish: ["8089:80"], memory: "200m" },
      labels: {
        "traefik.http.routers.dash.rule": "Host(`dash.test`)",
        "traefik.http.routers.dash.service": "api@internal",
      },
      env: { clear: { CLEAR: "1" }, secret: ["TOKEN"] },
    });
    succeeded(await app.project.mrsk("deploy"));
    const curl = (port: number, host: string, path: string) =>
      onServer(
        SERVER,
        `curl -s -o /dev/null -w '%{http_code}' -H 'Host: ${host}' http://127.0.0.1:${port}${path} || true`,
      );
    expect(await curl(8088, "alone.test", "/up")).toBe("200");
    expect(await curl(8089, "alone.test", "/version?seen")).toBe("200");
    expect(await curl(80, "alone.test", "/up")).toBe("000");
    expect(await curl(8088, "dash.test", "/api/version")).toBe("200");
    expect(await onServer(SERVER, "docker logs traefik 2>&1 | grep -c 'GET /version?seen'")).toBe("1");
    expect(await onServer(SERVER, "docker exec traefik sh -c 'echo $CLEAR; printenv TOKEN'")).toBe('1\na\'b "c"');
    expect(await onServer(SERVER, "docker inspect -f '{{.HostConfig.Memory}}' traefik")).toBe("209715200");
    app.configure({ publish: false });
    succeeded(await app.project.mrsk("traefik", "reboot", "-y"));
    expect(await onServer(SERVER, "docker port traefik")).toBe("8082/tcp -> 127.0.0.1:18082");
    app.configure();
    succeeded(await app.project.mrsk("traefik", "reboot", "-y"));
    // No Traefik ran before, so nothing waited for the route: Traefik may still be probing the app.
    await expect.poll(() => visit(SERVER, "alone.test"), { timeout: 20_000 }).toBe("200 ok");
  });

  test("if a user may not write another user's live files, deploys work by labels, with a warning", async () => {
    await onServer(SERVER, "chmod 750 /home/deploy");
    const other = site("fishy", SERVER, "fishy");
    await other.commit();
    const ran = succeeded(await other.project.mrsk("deploy"));
    expect(ran.stderr).toContain("fishy may not write the live files in /home/deploy/.mrsk/traefik: labels decide");
    expect(await visit(SERVER, "fishy.test")).toBe("200 ok");
    expect(await visit(SERVER, "alone.test")).toBe("200 ok");
  });

  test("after a reboot of the server Traefik and the apps run", async () => {
    await execa("docker", ["restart", "-t", "5", lab[`LAB_${SERVER.toUpperCase()}_CONTAINER`]!]);
    let seen = "";
    for (let tries = 0; tries < 200 && seen !== "200 ok"; tries++) {
      seen = await visit(SERVER, "alone.test");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(seen).toBe("200 ok");
    expect(await traefiks(SERVER)).toBe("traefik");
  });
});
