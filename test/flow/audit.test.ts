import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import {
  bootAccessory,
  rebootAccessory,
  removeAccessory,
  restartAccessory,
  startAccessory,
  stopAccessory,
} from "../../src/flow/accessory.ts";
import { staleContainers } from "../../src/flow/app/app.ts";
import { startApp, stopApp } from "../../src/flow/app/start-stop.ts";
import { removeApp, removeAppContainer, removeAppContainers, removeAppImages } from "../../src/flow/app/removal.ts";
import { showAudit } from "../../src/flow/audit.ts";
import { pull } from "../../src/flow/build/build.ts";
import { bootApp } from "../../src/flow/rollout/boot.ts";
import { deploy, redeploy } from "../../src/flow/rollout/deploy.ts";
import { rollback } from "../../src/flow/rollout/rollback.ts";
import { accessoryExec, appExec } from "../../src/flow/app/exec.ts";
import { takeLock } from "../../src/flow/lock.ts";
import { pruneAll, pruneContainers, pruneImages } from "../../src/flow/prune.ts";
import { login } from "../../src/flow/registry.ts";
import { serverExec } from "../../src/flow/server.ts";
import { bootTraefik, restartTraefik, startTraefik, stopTraefik } from "../../src/flow/traefik/traefik.ts";
import { rebootTraefik } from "../../src/flow/traefik/reboot.ts";
import { removeStoppedTraefik, removeTraefik, removeTraefikImageOnly } from "../../src/flow/traefik/removal.ts";
import { accessory, config, role } from "../support/config.ts";
import { shellWords } from "../support/shell-words.ts";
import { machine } from "../support/fake-docker.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { aHost, container, stopped, type World } from "../support/world.ts";

const HOST = "192.0.2.1";
const settings = (destination?: string): Config =>
  config({
    destination,
    boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 },
    accessories: [accessory({ hosts: [HOST] })],
    roles: [role({ hosts: [HOST] })],
  });

function runOn(world: World, destination?: string): FakeRun {
  const run = fakeRun(settings(destination));
  world.fake(run).replies(/^State$/, "");
  return run;
}

/** The audit lines without time and performer, and their file. */
function lines(run: FakeRun): { files: Set<string>; lines: string[] } {
  const files = new Set<string>();
  const found = run.hosts.get(HOST)!.commands.flatMap((command) => {
    const words = command.includes("audit.log") ? shellWords(command) : [];
    const at = words.indexOf("printf");
    if (at < 0) return [];
    const end = words.indexOf(">>", at);
    files.add(words[end + 1]!);
    return words.slice(at + 2, end).map((line) => line.replace("[2026-01-02T03:04:05Z] [somebody] ", ""));
  });
  return { files, lines: found };
}

const EMPTY = aHost(HOST).behindTraefik();
const OLD = EMPTY.runs(container("web", 0));
const RUNNING = EMPTY.runs(container("web", 1));
const STOPPED = EMPTY.keeps(stopped("web", 1));
const NEW = { interactive: false, raw: false, reuse: false, env: new Map<string, string>() };
const IN_ACCESSORY = ["Stopped db accessory", "Remove db accessory container"];

test.each<[string, World, (run: FakeRun) => Promise<unknown>, string[]]>([
  [
    "app boot, of the running version",
    RUNNING,
    bootApp,
    [
      "Tagging dhh/app:1 as the latest image",
      "[web] Renaming container 1 to 1_replaced_0000000000000000",
      "[web] Booted app version 1",
    ],
  ],
  [
    "deploy",
    OLD,
    (run) => deploy(run, { skipPush: true }),
    [
      "Pulled image with version 1",
      "Tagging dhh/app:1 as the latest image",
      "[web] Booted app version 1",
      "Pruned containers",
      "Pruned images",
    ],
  ],
  [
    "redeploy, which prunes too",
    OLD,
    (run) => redeploy(run, { skipPush: true }),
    [
      "Pulled image with version 1",
      "Tagging dhh/app:1 as the latest image",
      "[web] Booted app version 1",
      "Pruned containers",
      "Pruned images",
    ],
  ],
  [
    "rollback",
    RUNNING.keeps(stopped("web", 0)),
    (run) => rollback(run, "0"),
    ["Tagging dhh/app:0 as the latest image", "[web] Booted app version 0"],
  ],
  ["app start", STOPPED, startApp, ["Started app version 1"]],
  ["app stop", RUNNING, stopApp, ["[web] Stopped app"]],
  ["app stop without a running container", STOPPED, stopApp, []],
  [
    "app exec",
    RUNNING,
    (run) => appExec(run, run.terminal, "echo 'a > b; $HOME'", NEW),
    ["Executed cmd 'echo 'a > b; $HOME'' on app version 1"],
  ],
  [
    "app exec --reuse",
    RUNNING,
    (run) => appExec(run, run.terminal, "ls", { ...NEW, reuse: true }),
    ["[web] Executed cmd 'ls' on app version 1"],
  ],
  ["app exec -i", RUNNING, (run) => appExec(run, run.terminal, "sh", { ...NEW, reuse: true, interactive: true }), []],
  ["app stale-containers --stop", RUNNING.runs(container("web", 0)), (run) => staleContainers(run, { stop: true }), []],
  [
    "app remove-container",
    STOPPED,
    (run) => removeAppContainer(run, "1"),
    ["[web] Removed app container with version 1"],
  ],
  ["app remove-containers", STOPPED, removeAppContainers, ["[web] Removed all app containers"]],
  ["app remove-images", STOPPED, removeAppImages, ["Removed all app images"]],
  [
    "app remove",
    RUNNING,
    removeApp,
    ["[web] Stopped app", "[web] Removed all app containers", "Removed all app images"],
  ],
  ["build pull", EMPTY, pull, ["Pulled image with version 1"]],
  ["prune all", STOPPED, (run) => pruneAll(run, undefined), ["Pruned containers", "Pruned images"]],
  ["prune containers", STOPPED, (run) => pruneContainers(run, 1), ["Pruned containers"]],
  ["prune images", STOPPED, pruneImages, ["Pruned images"]],
  ["traefik boot", EMPTY, bootTraefik, []],
  ["traefik reboot", EMPTY, (run) => rebootTraefik(run, { rolling: false, confirmed: true }), ["Rebooted traefik"]],
  ["traefik start", EMPTY, startTraefik, ["Started traefik"]],
  ["traefik stop", EMPTY, stopTraefik, ["Stopped traefik"]],
  ["traefik restart", EMPTY, restartTraefik, ["Stopped traefik", "Started traefik"]],
  [
    "traefik remove",
    EMPTY,
    (run) => removeTraefik(run, { force: false }),
    ["Stopped traefik", "Removed traefik container", "Removed traefik image"],
  ],
  ["traefik remove-container", EMPTY, removeStoppedTraefik, ["Removed traefik container"]],
  ["traefik remove-image", EMPTY, removeTraefikImageOnly, ["Removed traefik image"]],
  ["accessory boot", EMPTY, (run) => bootAccessory(run, "db"), ["Booted db accessory"]],
  ["accessory start", EMPTY, (run) => startAccessory(run, "db"), ["Started db accessory"]],
  ["accessory stop", EMPTY, (run) => stopAccessory(run, "db"), ["Stopped db accessory"]],
  ["accessory restart", EMPTY, (run) => restartAccessory(run, "db"), ["Stopped db accessory", "Started db accessory"]],
  ["accessory reboot", EMPTY, (run) => rebootAccessory(run, "db"), [...IN_ACCESSORY, "Booted db accessory"]],
  [
    "accessory exec",
    EMPTY,
    (run) => accessoryExec(run, run.terminal, "db", "ls -l", NEW),
    ["Executed cmd 'ls -l' on db accessory"],
  ],
  [
    "accessory remove",
    EMPTY,
    (run) => removeAccessory(run, "all", { confirmed: true }),
    [...IN_ACCESSORY, "Removed db accessory image"],
  ],
  ["server exec", EMPTY, (run) => serverExec(run, run.terminal, "uptime", NEW), ["Executed cmd 'uptime' on server"]],
  ["lock acquire", EMPTY, (run) => takeLock(run, "why"), []],
  ["registry login", EMPTY, (run) => login(run), []],
])("%s writes its lines, and holds the lock until its work has ended", async (_, world, act, expected) => {
  const run = runOn(world);
  const takesTime = () => new Promise((resolve) => setImmediate(resolve));
  for (const host of run.hosts.values()) host.when(/^(?!Acquire the lock|Release the lock)/, takesTime);
  await act(run);
  const atEnd = run.transcript.length;
  const last = run.transcript.at(-1);
  const ofLock = run.transcript.filter((line) => /: (?:Acquire|Release) the lock$/.test(line));
  expect(last).toBe(ofLock.at(-1) ?? last);
  await takesTime();
  expect(run.transcript.length).toBe(atEnd);
  const written = lines(run);
  expect(written.lines).toEqual(expected);
  expect([...written.files]).toEqual(expected.length === 0 ? [] : ["mrsk-app-audit.log"]);
});

test("a destination has a separate log, and its tag precedes the role's", async () => {
  const run = runOn(EMPTY.runs(container("web", 1, { destination: "staging" })), "staging");
  await stopApp(run);
  expect(lines(run)).toEqual({
    files: new Set(["mrsk-app-staging-audit.log"]),
    lines: ["[staging] [web] Stopped app"],
  });
});

test("audit shows the last fifty lines of each app host", async () => {
  const run = runOn(EMPTY);
  run.hosts.get(HOST)!.replies(/^Audit log$/, "[now] [somebody] Pruned images\n");
  await showAudit(run);
  expect(run.printed).toEqual([`App Host: ${HOST}\n[now] [somebody] Pruned images\n\n`]);
  expect(run.hosts.get(HOST)!.commands).toEqual(["tail -n 50 mrsk-app-audit.log 2>/dev/null || true"]);
});

/** A failing step of each command, and the audit lines after it. */
const FAILING: readonly (readonly [string, RegExp, World, (run: FakeRun) => Promise<unknown>, readonly string[]])[] = [
  ["accessory boot", /^Start app-db/, EMPTY, (run) => bootAccessory(run, "db"), ["failed Audit: Booted db accessory"]],
  ["accessory boot whose folder cannot be created", /^Create directories/, EMPTY, (run) => bootAccessory(run, "db"), ["failed Audit: Booted db accessory"]],
  ["accessory start", /^Start app-db/, EMPTY, (run) => startAccessory(run, "db"), ["failed Audit: Started db accessory"]],
  ["accessory stop", /^Stop app-db/, EMPTY, (run) => stopAccessory(run, "db"), ["failed Audit: Stopped db accessory"]],
  ["accessory remove", /^Remove the container/, EMPTY, (run) => removeAccessory(run, "db", { confirmed: true }), ["done Audit: Stopped db accessory", "failed Audit: Remove db accessory container"]],
  ["accessory exec", /^Command$/, EMPTY, (run) => accessoryExec(run, run.terminal, "db", "ls", NEW), ["failed Audit: Executed cmd 'ls' on db accessory"]],
  ["app exec", /^Command$/, RUNNING, (run) => appExec(run, run.terminal, "ls", NEW), ["failed Audit: Executed cmd 'ls' on app version 1"]],
  ["server exec", /^Command$/, RUNNING, (run) => serverExec(run, run.terminal, "ls", NEW), ["failed Audit: Executed cmd 'ls' on server"]],
  ["app stop", /^Stop app-web-1/, RUNNING, stopApp, ["failed Audit: Stopped app"]],
  ["app remove-container", /^Remove app-web-1/, STOPPED, (run) => removeAppContainer(run, "1"), ["failed Audit: Removed app container with version 1"]],
  ["app remove-containers", /^Remove app-web-1/, STOPPED, removeAppContainers, ["failed Audit: Removed all app containers"]],
  ["app remove-images", /^Remove the images/, STOPPED, removeAppImages, ["failed Audit: Removed all app images"]],
  ["build pull", /^Pull the image/, RUNNING, pull, ["failed Audit: Pulled image with version 1"]],
  ["prune containers", /^Prune containers/, RUNNING, (run) => pruneContainers(run, undefined), ["failed Audit: Pruned containers"]],
  ["prune images", /^Prune images/, RUNNING, pruneImages, ["failed Audit: Pruned images"]],
  ["traefik start", /^Start Traefik/, RUNNING, startTraefik, ["failed Audit: Started traefik"]],
  ["traefik stop", /^Stop Traefik/, RUNNING, stopTraefik, ["failed Audit: Stopped traefik"]],
  ["traefik reboot", /^Replace the container/, RUNNING, (run) => rebootTraefik(run, { rolling: false, confirmed: true }), ["failed Audit: Rebooted traefik"]],
  ["traefik remove-container", /^Remove Traefik's container/, RUNNING, removeStoppedTraefik, ["failed Audit: Removed traefik container"]],
  ["traefik remove-image", /^Remove Traefik's image/, RUNNING, removeTraefikImageOnly, ["failed Audit: Removed traefik image"]],
]; // biome-ignore format: one line each

test.each(FAILING)("%s that fails is logged as failed", async (_, failing, world, work, expected) => {
  const run = runOn(world);
  const host = run.hosts.get(HOST)!;
  host.fails(failing, "no");
  await work(run).catch(() => {});
  expect(host.outcomes).toEqual(expected);
});

test("a failure's audit line has the exit status and the intended work", async () => {
  const here = machine('case "$*" in "container start app-db") echo no >&2; exit 3 ;; esac');
  const run = fakeRun(settings(), { host: () => here.host });
  await expect(startAccessory(run, "db")).rejects.toThrow("no");
  await stopAccessory(run, "db");
  expect(readFileSync(join(here.home, "mrsk-app-audit.log"), "utf8")).toBe(
    "[2026-01-02T03:04:05Z] [somebody] Failed (exit status 3): Started db accessory\n" +
      "[2026-01-02T03:04:05Z] [somebody] Stopped db accessory\n",
  );
});
