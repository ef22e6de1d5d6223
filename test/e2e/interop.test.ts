import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Load } from "./load.ts";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

const IMAGE = `${lab["LAB_REGISTRY"]}/lab/interop:orig1`;

/** The original's own command lines, as its behaviour reference gives them, for one role. */
function original(role: "web" | "workers"): string {
  const name = `interop-${role}-orig1`;
  const common = `docker run --detach --restart unless-stopped --name ${name} --hostname 192.0.2.1-0123456789ab -e MRSK_CONTAINER_NAME="${name}"`;
  const labels = `--log-opt max-size="10m" --label service="interop" --label role="${role}"`;
  if (role === "workers") return `${common} ${labels} ${IMAGE} node server.js`;
  const routed = [
    '--label traefik.http.services.interop-web.loadbalancer.server.scheme="http"',
    '--label traefik.http.routers.interop-web.rule="PathPrefix(\\`/\\`)"',
    '--label traefik.http.middlewares.interop-web-retry.retry.attempts="5"',
    '--label traefik.http.middlewares.interop-web-retry.retry.initialinterval="500ms"',
    '--label traefik.http.routers.interop-web.middlewares="interop-web-retry@docker"',
  ].join(" ");
  const health = '--health-cmd "curl -f http://localhost:3000/up || exit 1" --health-interval "1s"';
  return `${common} ${health} ${labels} ${routed} ${IMAGE}`;
}

describe("a server that the original set up is taken over", () => {
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
    await onServer(
      "a",
      `docker login -u ${lab["LAB_REGISTRY_USER"]} -p ${lab["LAB_REGISTRY_PASSWORD"]} ${lab["LAB_REGISTRY"]} 2>/dev/null; docker pull -q ${IMAGE}`,
    );
    await onServer(
      "a",
      'docker run --name traefik --detach --restart unless-stopped --publish 80:80 --volume /var/run/docker.sock:/var/run/docker.sock --log-opt max-size="10m" traefik:v3.7.15 --providers.docker --log.level=DEBUG',
    );
    await onServer("a", original("web"));
    await onServer("a", original("workers"));
    await onServer(
      "a",
      "echo '[2023-06-01T12:00:00Z] [deployer] [web] Booted app version orig1' >> mrsk-interop-audit.log",
    );
    for (let tries = 0; tries < 100 && (await ask("a", "/up")).status !== 200; tries++)
      await new Promise((resolve) => setTimeout(resolve, 200));
  });
  afterAll(() => sweep("a"));

  test("while the original holds its lock, ours refuses and names its owner", async () => {
    const details = Buffer.from(
      "Locked by: Ada at 2023-06-01T12:00:00Z\nVersion: orig1\nMessage: Automatic deploy lock",
    ).toString("base64");
    await onServer("a", `mkdir mrsk_lock && echo "${details}" > mrsk_lock/details`);
    const refused = await project.mrsk("redeploy");
    expect(refused.status).toBe(4);
    expect(refused.stderr).toContain("Locked by: Ada at 2023-06-01T12:00:00Z");
    await onServer("a", "rm -r mrsk_lock");
  });

  test("redeploy, another, and a rollback to the original's container go by labels", async () => {
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
    // Such a Traefik goes on sending to a container that has stopped until it looks again: the original's own losses.
    expect(lost.length / requests).toBeLessThan(0.15);
    expect((await ask("a", "/version")).text).toBe("interop-web-orig1\n");
    const running = await onServer("a", "docker ps --filter label=service=interop --format '{{.Names}}' | sort");
    expect(running).toBe("interop-web-orig1\ninterop-workers-orig1");
  });

  test("after a reboot of Traefik, the original's container is switched from and back to by live files", async () => {
    succeeded(await project.mrsk("traefik", "reboot", "-y"));
    for (let tries = 0; tries < 100 && (await ask("a", "/up")).status !== 200; tries++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    const load = new Load(`http://${host}`);
    project.write("round.txt", "3");
    const third = await project.commit("By live files");
    succeeded(await project.mrsk("redeploy"));
    expect(await onServer("a", "cat .mrsk/traefik/interop-web.yml")).toContain("service: interop-web-");
    expect((await ask("a", "/version")).text).toBe(`${third}\n`);
    succeeded(await project.mrsk("rollback", "orig1"));
    expect((await ask("a", "/version")).text).toBe("interop-web-orig1\n");
    const { requests, lost, worstMilliseconds } = await load.stop();
    console.log(`interop, by live files: ${lost.length} of ${requests} lost, worst delay ${worstMilliseconds} ms`);
    expect(lost).toEqual([]);
  });

  test("the audit log goes on where the original left it", async () => {
    const lines = succeeded(await project.mrsk("audit")).stdout;
    expect(lines).toContain("[deployer] [web] Booted app version orig1");
    expect(lines).toContain(`[web] Booted app version ${first}`);
  });
});
