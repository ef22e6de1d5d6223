import { symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { spawn, spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findProbeBase } from "../../src/commands/probe.ts";
import { call } from "../../src/script/call.ts";
import { sh } from "../../src/script/command.ts";
import { fake, folder, run } from "../support/fake-commands.ts";
import { runnable } from "../support/config.ts";

let server: Server;
let base = "";
beforeAll(async () => {
  server = createServer((request, response) => {
    const status = Number(new URL(request.url!, "http://x").searchParams.get("status") ?? 200);
    response.writeHead(status, {
      "X-Mrsk-Live": "0a1b2c3d.1",
      "X-Asked": request.headers.host,
      location: "/?status=204",
    });
    response.end("body\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** Sends a request from a shell with only these HTTP clients. */
async function askWith(command: string, path: string): Promise<string> {
  for (const name of ["sed", command]) {
    const where = spawnSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
    symlinkSync(where, join(folder(), name));
  }
  const child = spawn("/bin/sh", ["-ec", runnable(call("probe_route", "x.mrsk", base + path, 5))], {
    env: { PATH: folder() },
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await new Promise((resolve) => child.on("close", resolve));
  return output.replaceAll("\r", "");
}

const has = (command: string) => spawnSync("/bin/sh", ["-c", `command -v ${command}`]).status === 0;

for (const command of ["curl", "wget"]) {
  test.skipIf(!has(command))(
    `${command} requests the probe's host name, and prints status line and headers`,
    async () => {
      const answer = await askWith(command, "/up");
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\n/);
      expect(answer).toContain("\nX-Mrsk-Live: 0a1b2c3d.1\n");
      expect(answer).toContain("\nX-Asked: x.mrsk\n");
      expect(answer).not.toContain("body");
    },
  );

  test.skipIf(!has(command)).each([301, 404, 503])(`${command} prints a %i unchanged`, async (status) => {
    expect(await askWith(command, `/up?status=${status}`)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });
}

test("BusyBox's wget gets no flag that it does not support", () => {
  fake("wget", 'case "$*" in --version) exit 1 ;; esac; echo "  HTTP/1.1 200 OK" >&2; echo "  Saw: $*" >&2');
  // PATH without curl: only the folder of fakes and the two filters.
  for (const name of ["tr", "sed"]) {
    symlinkSync(
      spawnSync("/bin/sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim(),
      join(folder(), name),
    );
  }
  expect(run(call("probe_route", "x.mrsk", "http://127.0.0.1:1/up", 5), folder()).stdout).toBe(
    "HTTP/1.1 200 OK\nSaw: -q -S -O /dev/null -T 5 --header Host: x.mrsk http://127.0.0.1:1/up\n",
  );
});

test("the probe entry point of a new Traefik is at its published port, or else at its own address", () => {
  const found = () => run(sh`echo ${findProbeBase()}`).stdout;
  fake("docker", 'echo "127.0.0.1:18082 172.17.0.9 "');
  expect(found()).toBe("http://127.0.0.1:18082\n");
  fake("docker", 'echo " 172.17.0.9 10.0.0.2 "');
  expect(found()).toBe("http://172.17.0.9:8082\n");
  fake("docker", 'echo " "');
  expect(found()).toBe("http://127.0.0.1:8082\n");
});

/** The reasons for a container on these networks, with Traefik on those networks, and this log. */
function reasons(its: string, of: string, { answer = "HTTP/1.1 404", health = "", log = "" } = {}): string {
  fake(
    "docker",
    `case "$*" in logs*) echo '${log}' ;; *Health*) echo "${health}" ;; *traefik) echo "${of}" ;; *) echo "${its}" ;; esac`,
  );
  return run(call("explain_no_route", "app-web-1", answer, "a hint")).stderr;
}

test("the reasons why Traefik does not route to a running container", () => {
  expect(reasons("bridge ", "bridge ")).toBe("a hint\n");
  expect(reasons("back ", "bridge ")).toContain("It is on the network back , Traefik on bridge : they cannot reach");
  expect(reasons("host ", "bridge ")).toBe("a hint\n");
  expect(reasons("bridge ", "host ")).toBe("a hint\n");
  expect(reasons("bridge ", "bridge ", { health: "unhealthy" })).toContain("Docker reports it unhealthy");
  const log = "2026 ERR service app-web error: port is missing container=app-web-1-abc";
  expect(reasons("bridge ", "bridge ", { log })).toContain(log);
  expect(reasons("bridge ", "bridge ", { log: "2026 INF app-web-1 seen" })).toBe("a hint\n");
});

test("a response with the revision came from the app: no reasons", () => {
  expect(reasons("back ", "bridge ", { answer: "HTTP/1.1 500\nX-Mrsk-Live: 0a1b2c3d.1" })).toBe("");
});
