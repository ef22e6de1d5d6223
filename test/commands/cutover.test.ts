import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  waitForAnswer,
  waitForDocker,
  waitForMark,
  waitForMarkOf,
  waitUntilGone,
  waitForPreview,
  waitUntilHealthy,
  watch,
} from "../../src/commands/cutover.ts";
import { fake, fakeContainer, folder, run } from "../support/fake-commands.ts";
import { ExitStatus } from "../../src/script/exit-status.ts";

/** A curl whose answer has this status line, this mark, and a date with a 2 in it. */
function answers(status: string, mark: string): void {
  fake(
    "curl",
    `printf 'HTTP/1.1 %s\\r\\nDate: Tue, 24 Nov 2026\\r\\nX-Mrsk-Live: %s\\r\\n\\r\\n' '${status}' '${mark}'`,
  );
}

const question = { base: "http://127.0.0.1:18082", hostName: "x.mrsk", path: "/up", mark: "0a1b2c3d.2" };

test.each(["200 OK", "204 No Content"])("the preview answers %s with the mark: good", (status) => {
  fakeContainer("running");
  answers(status, question.mark);
  expect(run(waitForPreview("app", question, 5)).status).toBe(0);
});

test.each([
  ["500 Internal Server Error", question.mark],
  ["404 Not Found", question.mark],
  ["200 OK", "0a1b2c3d.1"],
])("the preview answers %s with mark %s: not good, and the evidence is shown", (status, mark) => {
  fakeContainer("running");
  answers(status, mark);
  const result = run(waitForPreview("app", question, 1));
  expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(result.stderr).toContain(`No good answer at /up after 1 s. The last one: HTTP/1.1 ${status}`);
  expect(result.stderr).toContain("last words");
});

test("a container that stops while the preview is asked ends the wait at once", () => {
  fakeContainer("exited");
  answers("404 Not Found", "none");
  const result = run(waitForPreview("app", question, 60));
  expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(result.stderr).toContain("The container does not run: exited");
});

test("the mark tells that the file is loaded", () => {
  fakeContainer("running");
  answers("500 whatever", question.mark);
  expect(run(waitForMark(question)).status).toBe(0);
  answers("200 OK", "0a1b2c3d.1");
  fake("sleep", "exit 0");
  expect(run(waitForMark(question)).status).toBe(ExitStatus.NOT_LOADED);
});

test("without the mark, a container that crashed is to blame, one that runs is not", () => {
  fake("sleep", "exit 0");
  fakeContainer("running");
  answers("200 OK", question.mark);
  expect(run(waitForMarkOf("app", question)).status).toBe(0);
  answers("200 OK", "0a1b2c3d.1");
  expect(run(waitForMarkOf("app", question)).status).toBe(ExitStatus.NOT_LOADED);
  fakeContainer("exited");
  const crashed = run(waitForMarkOf("app", question));
  expect(crashed.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(crashed.stderr).toContain("last words");
});

test("healthy is what docker calls healthy; without a health check, steady", () => {
  fakeContainer("running healthy");
  expect(run(waitUntilHealthy("app", 5, 1)).status).toBe(0);
  fakeContainer("running ");
  expect(run(waitUntilHealthy("app", 5, 1)).status).toBe(0);
  fakeContainer("running starting");
  expect(run(waitUntilHealthy("app", 1, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
  fakeContainer("exited ");
  expect(run(waitUntilHealthy("app", 60, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
});

/** A docker whose container is never healthy, with this in its health log. */
function looks(...entries: string[]): void {
  const log = entries.map((entry) => `echo '${entry}'`).join("; ");
  fake("docker", `case "$*" in *logs*) ;; *println*) ${log} ;; *) echo "running starting" ;; esac`);
  // Time goes by ten seconds a look.
  fake("date", "now=$(( $(cat now 2>/dev/null || echo 0) + 10 )); echo $now >now; echo $now");
  fake("sleep", "exit 0");
}

test.each([
  '127 "/bin/sh: 1: check: not found"',
  '126 "/bin/sh: ./check: Permission denied"',
  '1 "/bin/sh: 1: curl: not found"',
  '1 "bash: curl: command not found"',
  '-1 "OCI runtime exec failed: exec: \\"/bin/sh\\": stat /bin/sh: no such file or directory: unknown"',
])("a health check that cannot run is told from one that says no, and not waited for: %s", (entry) => {
  looks(entry, entry, entry);
  const result = run(waitUntilHealthy("app", 600, 1));
  expect(result.status).toBe(ExitStatus.NOT_HEALTHY);
  expect(result.stderr).toContain("Docker cannot run the health check in this image: set healthcheck.cmd");
});

test.each([
  ['1 "curl: (7) Failed to connect to localhost port 3000"', '22 "curl: (22) 503"'],
  ['-1 "Health check exceeded timeout (30s)"'],
  ['1 "cat: /tmp/ready: No such file or directory"'],
])("a health check that says no is waited for: %s", (...entries) => {
  looks(...entries, ...entries, ...entries);
  const result = run(waitUntilHealthy("app", 100, 1));
  expect(result.stderr).toContain("Not healthy after 100 s: running starting");
});

test("a command that appears after the start is no failure yet", () => {
  looks('127 "check: not found"', '127 "check: not found"', '1 "not yet"');
  expect(run(waitUntilHealthy("app", 100, 1)).stderr).toContain("Not healthy after 100 s");
});

test("a container is watched for restarts and for turning unhealthy", () => {
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

test("all containers of a host are watched at once, and the one that fails is named", () => {
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

test("a version that was live before has to answer something of its own", () => {
  answers("404 Not Found", question.mark);
  expect(run(waitForAnswer(question, 1)).status).toBe(0);
  answers("502 Bad Gateway", question.mark);
  expect(run(waitForAnswer(question, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
  answers("200 OK", "0a1b2c3d.1");
  expect(run(waitForAnswer(question, 1)).status).toBe(ExitStatus.NOT_HEALTHY);
});

test("an engine that is just starting is waited for", () => {
  fake("sleep", "exit 0");
  fake("docker", `n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) >tries; [ "$n" -ge 3 ]`);
  expect(run(waitForDocker()).status).toBe(0);
  fake("docker", "exit 1");
  expect(run(waitForDocker()).status).toBe(1);
});

test("a container that Traefik has not noticed is shown to it by another that comes and goes", () => {
  fake(
    "docker",
    'case "$*" in "run --rm --network none traefik:v3 version") touch seen ;; *Config.Image*) echo traefik:v3 ;; *) echo running ;; esac',
  );
  fake(
    "curl",
    `[ -f seen ] && printf 'HTTP/1.1 200 OK\\r\\nX-Mrsk-Live: ${question.mark}\\r\\n' || printf 'HTTP/1.1 404 Not Found\\r\\n'`,
  );
  expect(run(waitForPreview("app", question, 10)).status).toBe(0);
  expect(readdirSync(folder())).toContain("seen");
});

test("a stopped container is gone when Traefik says that there is no such page, or after a while", () => {
  fake(
    "curl",
    `n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) >tries; [ "$n" -ge 2 ] && echo 'HTTP/1.1 404 Not Found'`,
  );
  expect(run(waitUntilGone(question)).status).toBe(0);
  expect(readFileSync(join(folder(), "tries"), "utf8").trim()).toBe("3");
  fake("curl", "sleep 1; exit 28");
  expect(run(waitUntilGone(question)).status).toBe(0);
});
