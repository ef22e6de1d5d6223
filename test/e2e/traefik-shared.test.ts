import { request } from "node:http";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";

const SERVERS = ["a", "b"] as const;
type Server = (typeof SERVERS)[number];

const address = (server: Server) => lab[`LAB_${server.toUpperCase()}`]!;

/** Status and text of a page of a site. Status 0 when there is no answer. */
function visit(server: Server, host: string, path = "/up"): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(`http://${address(server)}${path}`, { headers: { host }, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(`${response.statusCode} ${text.trim()}`));
    });
    outgoing.on("error", (error) => resolve(`0 ${error.message}`)).end();
  });
}

/** A service whose requests are those to `SERVICE.test`, deployed by a login user. */
function site(service: string, server: Server, user = "root") {
  const project = new Project(service);
  const configure = (traefik: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
    project.configure({
      servers: [address(server)],
      labels: { [`traefik.http.routers.${service}-web.rule`]: `Host(\`${service}.test\`)` },
      ssh: { user, keys: [lab["LAB_KEY"]], config: [`${project.folder}/ssh_config`] },
      boot: { watch: 1 },
      stop_wait_time: 2,
      traefik,
      ...more,
    });
  project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\nTOKEN=a'b "c" $d\n`);
  configure();
  return { project, configure, commit: () => project.commit("First") };
}

const traefiks = (server: Server) => onServer(server, "docker ps -a --format '{{.Names}}' | grep traefik");

describe("one Traefik for several services", () => {
  const one = site("one", "a");
  const two = site("two", "a");

  beforeAll(async () => {
    await sweep("a");
    await onServer("a", "docker rmi -f traefik:v3.7.15 2>/dev/null || true; usermod -aG docker sudoer");
    await Promise.all([one.commit(), two.commit()]);
  });
  afterAll(async () => {
    await onServer("a", "gpasswd -d sudoer docker");
    await sweep("a");
  });

  test("two first deploys at once end with one Traefik that serves both", async () => {
    const ran = await Promise.all([one.project.mrsk("deploy"), two.project.mrsk("deploy")]);
    ran.forEach(succeeded);
    expect(await traefiks("a")).toBe("traefik");
    expect(await visit("a", "one.test")).toBe("200 ok");
    expect(await visit("a", "two.test")).toBe("200 ok");
  });

  test("a host that no app has answers 404, a stopped app 503", async () => {
    expect(await visit("a", "nobody.test")).toBe("404 404 page not found");
    succeeded(await two.project.mrsk("app", "stop"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await visit("a", "two.test")).toMatch(/^503 /);
    succeeded(await two.project.mrsk("app", "start"));
  });

  test.each(["deploy", "sudoer"])("user %s deploys by live files where root made the directory", async (user) => {
    const other = site(`by-${user}`, "a", user);
    await other.commit();
    const ran = succeeded(await other.project.mrsk("deploy"));
    expect(ran.stderr).not.toContain("labels decide");
    expect(await onServer("a", `stat -c %U:%G /var/lib/mrsk/traefik/by-${user}-web.yml`)).toMatch(/:docker$/);
    other.project.write("round.txt", "2");
    await other.project.commit("Second");
    succeeded(await other.project.mrsk("redeploy"));
    expect(await visit("a", `by-${user}.test`)).toBe("200 ok");
    expect(await onServer("a", `grep -c ' by-${user}-web:' /var/lib/mrsk/traefik/by-${user}-web.yml`)).toBe("1");
  });

  test("a reboot by any of them keeps what the others serve", async () => {
    const other = site("by-deploy", "a", "deploy");
    await other.commit();
    succeeded(await other.project.mrsk("traefik", "reboot", "-y"));
    for (const host of ["one.test", "two.test", "by-deploy.test", "by-sudoer.test"]) {
      expect(await visit("a", host)).toBe("200 ok");
    }
  });

  test("a removal leaves Traefik to the others, and says who they are", async () => {
    const stays = succeeded(await two.project.mrsk("remove", "-y"));
    expect(stays.stderr).toContain("Traefik stays: by-deploy, by-sudoer, one use it");
    const refused = succeeded(await one.project.mrsk("traefik", "remove"));
    expect(refused.stderr).toContain("Traefik stays: by-deploy, by-sudoer use it");
    expect(await visit("a", "one.test")).toBe("200 ok");
    succeeded(await one.project.mrsk("traefik", "remove", "--force"));
    expect(await onServer("a", "docker ps -aq --filter name=traefik; docker images -q traefik")).toBe("");
  });
});

describe("Traefik on a server of its own", () => {
  const app = site("alone", "b", "deploy");

  beforeAll(async () => {
    await sweep("b");
    await app.commit();
  });
  afterAll(async () => {
    await onServer("b", "chmod 755 /home/deploy");
    await sweep("b");
  });

  test("boot names who has the port, before anything is touched", async () => {
    succeeded(await app.project.mrsk("build", "deliver"));
    const image = await onServer("b", "docker images --format '{{.Repository}}:{{.Tag}}' | grep alone | head -n 1");
    await onServer("b", `docker run -d --name squatter -p 80:3000 ${image}`);
    for (const words of [["traefik", "boot"], ["deploy"]]) {
      const ran = await app.project.mrsk(...words);
      expect(ran.status).toBe(5);
      expect(ran.stderr).toContain("port 80, which Traefik needs, is taken by the container squatter");
    }
    expect(await onServer("b", "docker ps -aq --filter name=traefik")).toBe("");
    await onServer("b", "docker rm -f squatter");
  });

  test("boot runs what is absent, starts what is stopped, and leaves what differs", async () => {
    expect(succeeded(await app.project.mrsk("traefik", "boot")).stderr).toContain("Traefik runs");
    expect(succeeded(await app.project.mrsk("traefik", "boot")).stderr).toContain("Traefik runs already");
    succeeded(await app.project.mrsk("traefik", "stop"));
    succeeded(await app.project.mrsk("traefik", "stop"));
    expect(await onServer("b", "docker inspect -f '{{.State.Status}}' traefik")).toBe("exited");
    expect(succeeded(await app.project.mrsk("traefik", "boot")).stderr).toContain("was stopped, and runs again");
    app.configure({ args: { accesslog: true } });
    const ran = succeeded(await app.project.mrsk("traefik", "boot"));
    expect(ran.stderr).toContain("Traefik runs, but it lacks --accesslog. `mrsk traefik reboot` replaces it.");
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
    expect(await onServer("b", "docker ps -aq --filter name=traefik")).toBe("");
    const missing = await app.project.mrsk("traefik", "start");
    expect(missing).toMatchObject({ status: 5, stderr: expect.stringContaining("mrsk traefik boot") as string });
    succeeded(await app.project.mrsk("traefik", "stop"));
    succeeded(await app.project.mrsk("traefik", "remove-image"));
    expect(await onServer("b", "docker images -q traefik")).toBe("");
    const lines = (await onServer("b", "cat /home/deploy/mrsk-alone-audit.log"))
      .split("\n")
      .map((line) => line.split("] ").at(-1));
    expect(lines.slice(-9)).toEqual([
      "Stopped traefik",
      "Started traefik",
      "Stopped traefik",
      "Started traefik",
      "Stopped traefik",
      "Removed traefik container",
      "Started traefik",
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
        "b",
        `curl -s -o /dev/null -w '%{http_code}' -H 'Host: ${host}' http://127.0.0.1:${port}${path} || true`,
      );
    expect(await curl(8088, "alone.test", "/up")).toBe("200");
    expect(await curl(8089, "alone.test", "/version?seen")).toBe("200");
    expect(await curl(80, "alone.test", "/up")).toBe("000");
    expect(await curl(8088, "dash.test", "/api/version")).toBe("200");
    expect(await onServer("b", "docker logs traefik 2>&1 | grep -c 'GET /version?seen'")).toBe("1");
    expect(await onServer("b", "docker exec traefik sh -c 'echo $CLEAR; printenv TOKEN'")).toBe('1\na\'b "c" $d');
    expect(await onServer("b", "docker inspect -f '{{.HostConfig.Memory}}' traefik")).toBe("209715200");
    app.configure({ publish: false });
    succeeded(await app.project.mrsk("traefik", "reboot", "-y"));
    expect(await onServer("b", "docker port traefik")).toBe("8082/tcp -> 127.0.0.1:18082");
    app.configure();
    succeeded(await app.project.mrsk("traefik", "reboot", "-y"));
    expect(await visit("b", "alone.test")).toBe("200 ok");
  });

  test("where a user may not write the other's live files, labels decide, and that is said", async () => {
    await onServer("b", "chmod 750 /home/deploy");
    const other = site("fishy", "b", "fishy");
    await other.commit();
    const ran = succeeded(await other.project.mrsk("deploy"));
    expect(ran.stderr).toContain("fishy may not write the live files in /home/deploy/.mrsk/traefik: labels decide");
    expect(await visit("b", "fishy.test")).toBe("200 ok");
    expect(await visit("b", "alone.test")).toBe("200 ok");
  });

  test("a reboot of the server brings Traefik and the apps back", async () => {
    await execa("docker", ["restart", "-t", "5", lab["LAB_B_CONTAINER"]!]);
    let seen = "";
    for (let tries = 0; tries < 200 && seen !== "200 ok"; tries++) {
      seen = await visit("b", "alone.test");
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(seen).toBe("200 ok");
    expect(await traefiks("b")).toBe("traefik");
  });
});
