import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  waitForAnswer,
  waitForDocker,
  waitForRevision,
  waitForCanaryRevision,
  waitForRouteGone,
  waitForProbeRoute,
  waitUntilHealthy,
  watch,
} from "../../src/commands/waits.ts";
import { fake, fakeContainer, folder, run } from "../support/fake-commands.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";

/** A curl whose response has this status line, this revision, and a date with a 2. */
function answers(status: string, revision: string): void {
  fake(
    "curl",
    `printf 'HTTP/1.1 %s\\r\\nDate: Tue, 24 Nov 2026\\r\\nX-Mrsk-Live: %s\\r\\n\\r\\n' '${status}' '${revision}'`,
  );
}

const route = { base: "http://127.0.0.1:18082", hostName: "x.mrsk", path: "/up", revision: "0a1b2c3d.2" };

test.each(["200 OK", "204 No Content"])("the probe route answers %s with the revision: good", (status) => {
  fakeContainer("running");
  answers(status, route.revision);
  expect(run(waitForProbeRoute("app", route, { deadlineSeconds: 5 })).status).toBe(0);
});

test.each([
  ["500 Internal Server Error", route.revision],
  ["404 Not Found", route.revision],
  ["200 OK", "0a1b2c3d.1"],
])("the probe route answers %s with revision %s: not good, and diagnostics are printed", (status, revision) => {
  fakeContainer("running");
  answers(status, revision);
  const result = run(waitForProbeRoute("app", route, { deadlineSeconds: 1 }));
  expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(result.stderr).toContain(`No good answer at /up after 1 s. The last one: HTTP/1.1 ${status}`);
  expect(result.stderr).toContain("last words");
});

test("one probe takes at most the time-out of the check, by default 10 s", () => {
  fakeContainer("running");
  fake("curl", `echo "$*" >>curl.log; printf 'HTTP/1.1 200 OK\\r\\nX-Mrsk-Live: ${route.revision}\\r\\n'`);
  run(waitForProbeRoute("app", route, { deadlineSeconds: 5, timeoutSeconds: 4 }));
  run(waitForProbeRoute("app", route, { deadlineSeconds: 5 }));
  const limits = readFileSync(join(folder(), "curl.log"), "utf8").match(/-m \d+/g);
  expect(limits).toEqual(["-m 4", "-m 4", "-m 10", "-m 10"]);
});

test.each([
  ["500 Internal Server Error", ["2", "1"]],
  ["502 Bad Gateway", []],
])("after the app's answer %s the interval passes before the next probe, up to the deadline", (status, pauses) => {
  fakeContainer("running");
  answers(status, route.revision);
  fake("sleep", 'echo "$1" >>sleep.log; exec /bin/sleep "$1"');
  run(waitForProbeRoute("app", route, { deadlineSeconds: 3, intervalSeconds: 2 }));
  const slept = readFileSync(join(folder(), "sleep.log"), "utf8").trim().split("\n");
  expect(slept.filter((seconds) => Number(seconds) >= 1)).toEqual(pauses);
});

test("a container that stops during probes ends the wait immediately", () => {
  fakeContainer("exited");
  answers("404 Not Found", "none");
  const result = run(waitForProbeRoute("app", route, { deadlineSeconds: 60 }));
  expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(result.stderr).toContain("The container does not run: exited");
});

test("the revision shows that Traefik has loaded the file", () => {
  fakeContainer("running");
  answers("500 whatever", route.revision);
  expect(run(waitForRevision(route)).status).toBe(0);
  answers("200 OK", "0a1b2c3d.1");
  fake("sleep", "exit 0");
  expect(run(waitForRevision(route)).status).toBe(ExitStatus.NOT_LOADED);
});

test("without the revision, a crashed container is not healthy, and a running one is not to blame", () => {
  fake("sleep", "exit 0");
  fakeContainer("running");
  answers("200 OK", route.revision);
  expect(run(waitForCanaryRevision("app", route)).status).toBe(0);
  answers("200 OK", "0a1b2c3d.1");
  expect(run(waitForCanaryRevision("app", route)).status).toBe(ExitStatus.NOT_LOADED);
  fakeContainer("exited");
  const crashed = run(waitForCanaryRevision("app", route));
  expect(crashed.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(crashed.stderr).toContain("last words");
});

test("healthy is what docker reports as healthy; without a health check, a container that keeps running", () => {
  fakeContainer("running healthy");
  expect(run(waitUntilHealthy("app", 5, 1)).status).toBe(0);
  fakeContainer("running ");
  expect(run(waitUntilHealthy("app", 5, 1)).status).toBe(0);
  fakeContainer("running starting");
  expect(run(waitUntilHealthy("app", 1, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
  fakeContainer("exited ");
  expect(run(waitUntilHealthy("app", 60, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
});

/** A docker whose container is never healthy, with these entries in its health log. */
function healthLog(...entries: string[]): void {
  const log = entries.map((entry) => `echo '${entry}'`).join("; ");
  fake("docker", `case "$*" in *logs*) ;; *println*) ${log} ;; *) echo "running starting" ;; esac`);
  // Every call of date adds ten seconds.
  fake("date", "now=$(( $(cat now 2>/dev/null || echo 0) + 10 )); echo $now >now; echo $now");
  fake("sleep", "exit 0");
}

test.each([
  '127 "/bin/sh: 1: check: not found"',
  '126 "/bin/sh: ./check: Permission denied"',
  '1 "/bin/sh: 1: curl: not found"',
  '1 "bash: curl: command not found"',
  '-1 "OCI runtime exec failed: exec: \\"/bin/sh\\": stat /bin/sh: no such file or directory: unknown"',
])("a health check that cannot run is no failed one, and ends the wait: %s", (entry) => {
  healthLog(entry, entry, entry);
  const result = run(waitUntilHealthy("app", 600, 1));
  expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(result.stderr).toContain("Docker cannot run the health check in this image: set healthcheck.cmd");
});

test.each([
  ['1 "curl: (7) Failed to connect to localhost port 3000"', '22 "curl: (22) 503"'],
  ['-1 "Health check exceeded timeout (30s)"'],
  ['1 "cat: /tmp/ready: No such file or directory"'],
])("a failed health check is waited for: %s", (...entries) => {
  healthLog(...entries, ...entries, ...entries);
  const result = run(waitUntilHealthy("app", 100, 1));
  expect(result.stderr).toContain("Not healthy after 100 s: running starting");
});

test("a health check command that appears after the start is no failure", () => {
  healthLog('127 "check: not found"', '127 "check: not found"', '1 "not yet"');
  expect(run(waitUntilHealthy("app", 100, 1)).stderr).toContain("Not healthy after 100 s");
});

test("a watched container must not restart or turn unhealthy", () => {
  const states = (state: string) => fake("docker", `case "$*" in *logs*) ;; *"{{.State.Status}} {{.RestartCount}}"*) echo "${state}" ;; *) echo 1 ;; esac`); // biome-ignore format: one line
  const fresh = [{ name: "app", fresh: true }];
  states("running 0 false healthy");
  expect(run(watch(fresh, 1)).status).toBe(0);
  for (const bad of ["running 1 false ", "running 0 true ", "running 0 false unhealthy", "exited 0 false "]) {
    states(bad);
    expect(run(watch(fresh, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
  }
  states("running 1 false ");
  expect(run(watch([{ name: "app", fresh: false }], 1)).status).toBe(0);
});

test("all containers of a host are watched together, and the failing container is named", () => {
  fake(
    "docker",
    `case "$*" in *logs*) echo "last words of $4" ;; *OOM*jobs) echo "exited 0 false " ;; *) echo "running 0 false " ;; esac`,
  );
  const result = run(
    watch(
      [
        { name: "web", fresh: true },
        { name: "jobs", fresh: true },
      ],
      60,
    ),
  );
  expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(result.stderr).toContain("The new container jobs did not stay up: exited 0 false");
  expect(result.stderr).toContain("last words of jobs");
});

test("a version that was live before must give any response of the app", () => {
  answers("404 Not Found", route.revision);
  expect(run(waitForAnswer(route, 1)).status).toBe(0);
  answers("502 Bad Gateway", route.revision);
  expect(run(waitForAnswer(route, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
  answers("200 OK", "0a1b2c3d.1");
  expect(run(waitForAnswer(route, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
});

test("an engine that is starting is waited for", () => {
  fake("sleep", "exit 0");
  fake("docker", `n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) >tries; [ "$n" -ge 3 ]`);
  expect(run(waitForDocker()).status).toBe(0);
  fake("docker", "exit 1");
  expect(run(waitForDocker()).status).toBe(1);
});

test("another container that starts and exits makes Traefik notice a container that it missed", () => {
  fake(
    "docker",
    'case "$*" in "run --rm --network none traefik:v3 version") touch seen ;; *Config.Image*) echo traefik:v3 ;; *) echo running ;; esac',
  );
  fake(
    "curl",
    `[ -f seen ] && printf 'HTTP/1.1 200 OK\\r\\nX-Mrsk-Live: ${route.revision}\\r\\n' || printf 'HTTP/1.1 404 Not Found\\r\\n'`,
  );
  expect(run(waitForProbeRoute("app", route, { deadlineSeconds: 10 })).status).toBe(0);
  expect(readdirSync(folder())).toContain("seen");
});

test("the wait for a stopped container ends when Traefik answers 404 or 503, or after 5 s", () => {
  fake(
    "curl",
    `n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) >tries; [ "$n" -ge 2 ] && echo 'HTTP/1.1 404 Not Found'`,
  );
  expect(run(waitForRouteGone(route)).status).toBe(0);
  expect(readFileSync(join(folder(), "tries"), "utf8").trim()).toBe("3");
  fake("curl", "sleep 1; exit 28");
  expect(run(waitForRouteGone(route)).status).toBe(0);
});
