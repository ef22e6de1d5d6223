import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drain, listeningPorts, recentMilliseconds } from "../../src/commands/drain.ts";
import { fake, fakeContainer, folder, run } from "../support/fake-commands.ts";
import { role } from "../support/config.ts";

const draining = (nsenter: readonly string[] | undefined, limitSeconds = 1, recent = 300) =>
  drain("app", { ports: [3000], limitSeconds, recentMilliseconds: recent, nsenter });

const CONNECTION = "0 0 [::ffff:172.17.0.2]:3000 [::ffff:172.17.0.1]:5000";

test.each([
  ["nothing is open", "", false],
  ["answered a second ago", `${CONNECTION}\n\t cubic rtt:0.1/0.1 lastsnd:1000 lastrcv:1010 lastack:990`, false],
  [
    "a request without an answer yet",
    `${CONNECTION}\n\t cubic rtt:0.1/0.1 lastsnd:5000 lastrcv:1010 lastack:990`,
    true,
  ],
  ["a request this very millisecond", `${CONNECTION}\n\t cubic rtt:0.1/0.1 lastsnd:5000 lastack:990`, true],
  ["an answer this very millisecond", `${CONNECTION}\n\t cubic rtt:0.1/0.1 lastrcv:4000`, true],
])("the drain observes connections: %s", (_, seen, busy) => {
  mkdirSync(join(folder(), "seen"));
  writeFileSync(join(folder(), "seen/ss"), seen);
  fakeContainer("4242");
  fake("nsenter", `cat ${folder()}/seen/ss`);
  const { status, stdout } = run(draining(["nsenter"]));
  expect(status).toBe(0);
  expect(stdout).toBe(busy ? "still busy after 1 s: 1 connections will be closed\n" : "");
});

test("a stream between two messages is busy while its last message is recent", () => {
  fakeContainer("4242");
  fake("nsenter", `printf '%s\\n\\t cubic rtt:0.1/0.1 lastsnd:2000 lastrcv:2010\\n' '${CONNECTION}'`);
  expect(run(draining(["nsenter"], 1, 3500)).stdout).toContain("still busy");
  expect(run(draining(["nsenter"], 1, 1500)).stdout).toBe("");
});

test("the drain observes every port of the app: the health check's, the labels' and the image's", () => {
  fakeContainer("4242 8080/tcp 53/udp");
  fake("nsenter", 'printf "%s " "$@" >>calls');
  fake("sudo", 'shift; exec "$@"');
  run(draining(["sudo", "-n", "nsenter"]));
  expect(readFileSync(join(folder(), "calls"), "utf8")).toMatch(/^--target 4242 --net ss -tinH state established/);
  run(drain("app", { ports: [3000, 81], limitSeconds: 1, recentMilliseconds: 1, nsenter: ["nsenter"] }));
  expect(readFileSync(join(folder(), "calls"), "utf8")).toContain(
    "--target 4242 --net ss -tinH state established ( sport = :8080 or sport = :53 or sport = :3000 or sport = :81 )",
  );
});

test("a container that does not run is drained", () => {
  fakeContainer("0 3000/tcp");
  fake("nsenter", "exit 9");
  expect(run(draining(["nsenter"], 30))).toMatchObject({ status: 0, stdout: "" });
  fake("docker", "exit 1");
  expect(run(draining(["nsenter"], 30))).toMatchObject({ status: 0, stdout: "" });
});

test("if connections cannot be observed, the drain waits a fixed time, and prints why", () => {
  fakeContainer("4242");
  fake("sleep", 'echo "slept $*"');
  const why = "observing its connections needs ss, and root or sudo without a password";
  expect(run(draining(undefined, 30)).stdout).toBe(`slept 10\nwaited 10 s: ${why}\n`);
  fake("nsenter", "exit 1");
  expect(run(draining(["nsenter"], 2)).stdout).toBe(`slept 2\nwaited 2 s: ${why}\n`);
});

test("ports and the time of recent messages come from the role", () => {
  const labels = new Map([
    ["traefik.http.services.app-web.loadbalancer.server.port", "80"],
    ["traefik.http.services.app-web.loadbalancer.healthcheck.path", "/up"],
  ]);
  expect(listeningPorts(role({ labels }))).toEqual([3000, 80]);
  expect(listeningPorts(role({ healthcheck: undefined }))).toEqual([3000]);
  expect(recentMilliseconds(role())).toBe(3500);
  expect(recentMilliseconds(role({ labels }))).toBe(300);
});
