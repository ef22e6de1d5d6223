import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

const OLD_ENGINE = "a";
const NEW_ENGINE = "b";

describe("health checks of a new version", () => {
  const project = new Project("health");
  let round = 0;

  const configure = (server: string, more: Record<string, unknown>) => {
    project.configure({ servers: [lab[`LAB_${server.toUpperCase()}`]], boot: { watch: 0 }, ...more });
    project.write("round.txt", String(++round));
    return project.commit(`Round ${round}`);
  };
  const docker = (...lines: string[]) => {
    const start = ["FROM node:20-bookworm-slim", "WORKDIR /app", "COPY . .", "EXPOSE 3000"];
    project.write("Dockerfile", [...start, ...lines, 'CMD ["node", "server.js"]', ""].join("\n"));
  };

  beforeAll(async () => {
    await sweep(OLD_ENGINE, NEW_ENGINE);
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
  });
  afterAll(async () => {
    await onServer(OLD_ENGINE, "if [ -e /usr/bin/curl.away ]; then mv /usr/bin/curl.away /usr/bin/curl; fi");
    await sweep(OLD_ENGINE, NEW_ENGINE);
  });

  test("on a newer engine the first check does not wait a whole interval", async () => {
    const version = await configure(NEW_ENGINE, { healthcheck: { interval: "25s" } });
    succeeded(await project.mrsk("deploy"));
    const format = "{{.State.StartedAt}} {{with index .State.Health.Log 0}}{{.Start.Format \"2006-01-02T15:04:05.999999999Z07:00\"}}{{end}}"; // biome-ignore format: one line
    const [started, checked] = (await onServer(NEW_ENGINE, `docker inspect -f '${format}' health-web-${version}`)).split(" "); // biome-ignore format: one line
    expect(Date.parse(checked!) - Date.parse(started!)).toBeLessThan(25_000);
  });

  test("a version that starts slower than its attempts allow is not live, with more attempts it is", async () => {
    const slow = { env: { START_DELAY_MS: "12000" } };
    await configure(OLD_ENGINE, { ...slow, healthcheck: { max_attempts: 3 } });
    const refused = await project.mrsk("deploy");
    expect(refused.status).toBe(6);
    expect(refused.stderr).toContain("No good answer at /up after 6 s.");
    const version = await configure(OLD_ENGINE, { ...slow, healthcheck: { max_attempts: 9 } });
    succeeded(await project.mrsk("deploy"));
    expect((await ask(OLD_ENGINE, "/version")).text).toBe(`${version}\n`);
  });

  test("an image without curl is checked once, and started without docker's health check", async () => {
    docker("RUN rm -f $(command -v curl) || true");
    const version = await configure(OLD_ENGINE, {});
    const first = succeeded(await project.mrsk("redeploy"));
    expect(first.stderr).toContain(
      "the image has no curl for docker's health check: only the probe route checks the container",
    );
    expect(await onServer(OLD_ENGINE, `docker inspect -f '{{.State.Health}}' health-web-${version}`)).toBe("<nil>");
    const known = await onServer(OLD_ENGINE, "cat .mrsk/images");
    succeeded(await project.mrsk("app", "boot"));
    expect(await onServer(OLD_ENGINE, "cat .mrsk/images")).toBe(known);
    expect(known).toMatch(/^1 sha256:[0-9a-f]{64}-[0-9a-f]{64} no$/m);
  });

  test("a role without Traefik and without curl is refused, with a hint", async () => {
    const host = lab["LAB_A"];
    const workers = { hosts: [host], healthcheck: { path: "/up" } };
    await configure(OLD_ENGINE, { servers: { web: [host], workers } });
    const refused = await project.mrsk("redeploy");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("set servers.workers.healthcheck.cmd to a command that the image has");
    const missing = { hosts: [host], healthcheck: { cmd: "no-such-check" } };
    await configure(OLD_ENGINE, { servers: { web: [host], workers: missing } });
    const failed = await project.mrsk("redeploy");
    expect(failed.status).toBe(6);
    expect(failed.stderr).toContain("Docker cannot run the health check in this image: set healthcheck.cmd");
  });

  test("a server without curl uses wget, one without both is refused", async () => {
    const version = await configure(OLD_ENGINE, {});
    await onServer(OLD_ENGINE, "mv /usr/bin/curl /usr/bin/curl.away");
    const refused = await project.mrsk("redeploy");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("the host has neither curl nor wget");
    await onServer(OLD_ENGINE, "apt-get update -qq && apt-get install -y -qq --no-install-recommends wget >/dev/null 2>&1"); // biome-ignore format: one line
    succeeded(await project.mrsk("redeploy"));
    await onServer(OLD_ENGINE, "mv /usr/bin/curl.away /usr/bin/curl; apt-get remove -y -qq wget >/dev/null 2>&1");
    expect((await ask(OLD_ENGINE, "/version")).text).toBe(`${version}\n`);
  });

  test("if the probe port is taken, mrsk probes Traefik at its container's address", async () => {
    await sweep(OLD_ENGINE);
    await onServer(OLD_ENGINE, "docker run -d --name squatter -p 127.0.0.1:18082:80 traefik:v3.7.15 >/dev/null");
    const version = await configure(OLD_ENGINE, {});
    succeeded(await project.mrsk("deploy"));
    expect((await ask(OLD_ENGINE, "/version")).text).toBe(`${version}\n`);
    await configure(OLD_ENGINE, {});
    succeeded(await project.mrsk("redeploy"));
    expect(await onServer(OLD_ENGINE, "docker port traefik")).not.toContain("18082");
  });
});
