import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { address, Fleet } from "./fleet-lab.ts";
import { onServer, succeeded, sweep } from "./project.ts";

const SETTINGS = "/etc/docker/daemon.json";
const RESTART = "service docker restart >/dev/null 2>&1; until docker info >/dev/null 2>&1; do sleep 0.2; done";

/** The `docker` of Podman 4.9. */
const PODMAN = `#!/bin/sh
case "$1" in
  --version) echo "podman version 4.9.3" ;;
  *) echo "Error: template: version:1:19: can't evaluate field Server in type *define.Version" >&2; exit 125 ;;
esac`;

describe("a server with another log driver, and a login shell that changes directory", () => {
  const fleet = new Fleet("strange", ["a"]);
  const settings = {
    servers: [address("a")],
    readiness_delay: 1,
    boot: { watch: 1 },
    accessories: { db: { image: "postgres:14", host: address("a") } },
  };

  beforeAll(async () => {
    await onServer("a", `cp ${SETTINGS} /root/daemon.json; cp /root/.bashrc /root/bashrc.before`);
    await onServer("a", `sed -i 's/{/{ "log-driver": "none",/' ${SETTINGS}; ${RESTART}`);
    await onServer("a", "echo 'cd /tmp' >/root/.bashrc");
    await fleet.start(settings);
  });
  afterAll(async () => {
    await onServer(
      "a",
      `cd; mv bashrc.before .bashrc; mv daemon.json ${SETTINGS}; rm -f /usr/local/bin/docker; ${RESTART}`,
    );
    await sweep("a");
  });

  test("runs the app, Traefik and an accessory, each without a log size limit", async () => {
    succeeded(await fleet.project.mrsk("accessory", "boot", "db"));
    const drivers = await onServer(
      "a",
      "docker ps -q | xargs docker inspect -f '{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}' | sort -u",
    );
    expect(drivers).toBe("none map[]");
  });

  test("has all of mrsk's files in the home directory, and commands begin there", async () => {
    expect(await onServer("a", "ls -d /root/.mrsk /tmp/.mrsk /root/mrsk-strange-audit.log 2>/dev/null | xargs")).toBe(
      "/root/.mrsk /root/mrsk-strange-audit.log",
    );
    expect(succeeded(await fleet.project.mrsk("server", "exec", "pwd"))).toMatchObject({
      stdout: expect.stringMatching(/^\/root$/m) as string,
    });
  });

  test("logs a start that fails as failed", async () => {
    await onServer("a", "docker rm -f strange-db >/dev/null");
    expect((await fleet.project.mrsk("accessory", "start", "db")).status).toBe(5);
    expect(await onServer("a", "tail -n 1 /root/mrsk-strange-audit.log")).toMatch(
      /\] Failed \(exit status 1\): Started db accessory$/,
    );
  });

  test("is named if its docker is Podman", async () => {
    await onServer("a", `cat >/usr/local/bin/docker <<'SHIM'\n${PODMAN}\nSHIM\nchmod 755 /usr/local/bin/docker`);
    for (const command of [
      ["app", "version"],
      ["server", "bootstrap"],
    ]) {
      const { status, stderr } = await fleet.project.mrsk(...command);
      expect({ status, stderr }).toMatchObject({
        status: 5,
        stderr: expect.stringContaining("`docker` is Podman there (podman version 4.9.3)") as string,
      });
    }
    await onServer("a", "rm /usr/local/bin/docker");
  });
});
