import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Body } from "../../src/commands/command.ts";
import {
  anyway,
  drain,
  keepAlive,
  NO_MARK,
  NOT_HEALTHY,
  releaseRestart,
  removeLiveFile,
  stopForGood,
  waitForAnswer,
  waitForDocker,
  waitForMark,
  waitForMarkOf,
  waitForPreview,
  waitUntilHealthy,
  watch,
  writeLiveFile,
} from "../../src/commands/cutover.ts";
import { line } from "./support.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cutover-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fake(name: string, body: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
}

function run(body: Body): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: `${folder}:${process.env["PATH"]}` };
  return spawnSync("/bin/sh", ["-ec", line(body)], { encoding: "utf8", env, cwd: folder });
}

/** A docker that knows one container in this state. */
function container(state: string): void {
  fake("docker", `case "$*" in *logs*) echo "last words" ;; *) echo "${state}" ;; esac`);
}

/** A curl whose answer has this status line, this mark, and a date with a 2 in it. */
function answers(status: string, mark: string): void {
  fake(
    "curl",
    `printf 'HTTP/1.1 %s\\r\\nDate: Tue, 24 Nov 2026\\r\\nX-Mrsk-Live: %s\\r\\n\\r\\n' '${status}' '${mark}'`,
  );
}

const question = { base: "http://127.0.0.1:18082", hostName: "x.mrsk", path: "/up", mark: "0a1b2c3d.2" };

test("a live file is written beside the directory and moved in", () => {
  const text = "a: '$x' {{`{{`}} é\n";
  expect(run(writeLiveFile("run dir/traefik", "app-web", text)).status).toBe(0);
  expect(readFileSync(join(folder, "run dir/traefik/app-web.yml"), "utf8")).toBe(text);
  expect(readdirSync(join(folder, "run dir"))).toEqual(["traefik"]);
  expect(readdirSync(join(folder, "run dir/traefik"))).toEqual(["app-web.yml"]);
  run(removeLiveFile("run dir/traefik", "app-web"));
  expect(readdirSync(join(folder, "run dir/traefik"))).toEqual([]);
});

test("a live file that cannot be written leaves the one that is there", () => {
  run(writeLiveFile("run/traefik", "app-web", "before"));
  mkdirSync(join(folder, "run/.app-web.new"));
  const result = run(writeLiveFile("run/traefik", "app-web", "after"));
  expect(result.status).toBe(1);
  expect(result.stderr).toContain(".app-web.new");
  expect(readFileSync(join(folder, "run/traefik/app-web.yml"), "utf8")).toBe("before");
});

test.each(["200 OK", "204 No Content"])("the preview answers %s with the mark: good", (status) => {
  container("running");
  answers(status, question.mark);
  expect(run(waitForPreview("app", question, 5)).status).toBe(0);
});

test.each([
  ["500 Internal Server Error", question.mark],
  ["404 Not Found", question.mark],
  ["200 OK", "0a1b2c3d.1"],
])("the preview answers %s with mark %s: not good, and the evidence is shown", (status, mark) => {
  container("running");
  answers(status, mark);
  const result = run(waitForPreview("app", question, 1));
  expect(result.status).toBe(NOT_HEALTHY);
  expect(result.stderr).toContain(`No good answer at /up after 1 s. The last one: HTTP/1.1 ${status}`);
  expect(result.stderr).toContain("last words");
});

test("a container that stops while the preview is asked ends the wait at once", () => {
  container("exited");
  answers("404 Not Found", "none");
  const result = run(waitForPreview("app", question, 60));
  expect(result.status).toBe(NOT_HEALTHY);
  expect(result.stderr).toContain("The container does not run: exited");
});

test("the mark tells that the file is loaded", () => {
  container("running");
  answers("500 whatever", question.mark);
  expect(run(waitForMark(question)).status).toBe(0);
  answers("200 OK", "0a1b2c3d.1");
  fake("sleep", "exit 0");
  expect(run(waitForMark(question)).status).toBe(NO_MARK);
});

test("without the mark, a container that crashed is to blame, one that runs is not", () => {
  fake("sleep", "exit 0");
  container("running");
  answers("200 OK", question.mark);
  expect(run(waitForMarkOf("app", question)).status).toBe(0);
  answers("200 OK", "0a1b2c3d.1");
  expect(run(waitForMarkOf("app", question)).status).toBe(NO_MARK);
  container("exited");
  const crashed = run(waitForMarkOf("app", question));
  expect(crashed.status).toBe(NOT_HEALTHY);
  expect(crashed.stderr).toContain("last words");
});

test("healthy is what docker calls healthy; without a health check, steady", () => {
  container("running healthy");
  expect(run(waitUntilHealthy("app", 5, 1)).status).toBe(0);
  container("running ");
  expect(run(waitUntilHealthy("app", 5, 1)).status).toBe(0);
  container("running starting");
  expect(run(waitUntilHealthy("app", 1, 1)).status).toBe(NOT_HEALTHY);
  container("exited ");
  expect(run(waitUntilHealthy("app", 60, 1)).status).toBe(NOT_HEALTHY);
});

test("a container is watched for restarts and for turning unhealthy", () => {
  const states = (state: string) => fake("docker", `case "$*" in *logs*) ;; *"{{.State.Status}} {{.RestartCount}}"*) echo "${state}" ;; *) echo 1 ;; esac`); // biome-ignore format: one line
  const fresh = [{ name: "app", fresh: true }];
  states("running 0 false healthy");
  expect(run(watch(fresh, 1)).status).toBe(0);
  for (const bad of ["running 1 false ", "running 0 true ", "running 0 false unhealthy", "exited 0 false "]) {
    states(bad);
    expect(run(watch(fresh, 1)).status).toBe(NOT_HEALTHY);
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
  expect(result.status).toBe(NOT_HEALTHY);
  expect(result.stderr).toContain("The new container jobs did not stay up: exited 0 false");
  expect(result.stderr).toContain("last words of jobs");
});

test("a version that was live before has to answer something of its own", () => {
  answers("404 Not Found", question.mark);
  expect(run(waitForAnswer(question, 1)).status).toBe(0);
  answers("502 Bad Gateway", question.mark);
  expect(run(waitForAnswer(question, 1)).status).toBe(NOT_HEALTHY);
  answers("200 OK", "0a1b2c3d.1");
  expect(run(waitForAnswer(question, 1)).status).toBe(NOT_HEALTHY);
});

test("an engine that is just starting is waited for", () => {
  fake("sleep", "exit 0");
  fake("docker", `n=$(cat tries 2>/dev/null || echo 0); echo $((n + 1)) >tries; [ "$n" -ge 3 ]`);
  expect(run(waitForDocker()).status).toBe(0);
  fake("docker", "exit 1");
  expect(run(waitForDocker()).status).toBe(1);
});

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
])("the drain looks at connections: %s", (_, seen, busy) => {
  mkdirSync(join(folder, "seen"));
  writeFileSync(join(folder, "seen/ss"), seen);
  container("4242");
  fake("nsenter", `cat ${folder}/seen/ss`);
  const { status, stdout } = run(drain("app", { port: 3000, limitSeconds: 1, nsenter: ["nsenter"] }));
  expect(status).toBe(0);
  expect(stdout).toBe(busy ? "still busy after 1 s: 1 connections\n" : "");
});

test("where connections cannot be seen the drain is a wait", () => {
  container("4242");
  fake("sleep", 'echo "slept $*"');
  expect(run(drain("app", { port: 3000, limitSeconds: 30, nsenter: undefined })).stdout).toBe(
    "slept 5\nwaited, cannot look at connections\n",
  );
  fake("nsenter", "exit 1");
  expect(run(drain("app", { port: 3000, limitSeconds: 2, nsenter: ["nsenter"] })).stdout).toBe(
    "slept 2\nwaited, cannot look at connections\n",
  );
  const watched = { port: 3000, limitSeconds: 30, pastSeconds: 4.8, nsenter: undefined };
  expect(run(drain("app", watched)).stdout).toBe("slept 1\nwaited, cannot look at connections\n");
});

test("which container a reboot revives", () => {
  expect(line(keepAlive("app-web-2"))).toBe("docker update --restart unless-stopped app-web-2");
  expect(line(releaseRestart("app-web-1"))).toBe("docker update --restart no app-web-1");
  expect(line(stopForGood("app-web-1", 45))).toBe(
    "docker update --restart no app-web-1 >/dev/null 2>&1 || true\ndocker stop -t 45 app-web-1",
  );
  expect(run(anyway(["false"])).status).toBe(0);
});
