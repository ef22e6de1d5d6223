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
import { staleContainers } from "../../src/flow/app.ts";
import { startApp, stopApp } from "../../src/flow/start-stop.ts";
import { removeApp, removeAppContainer, removeAppContainers, removeAppImages } from "../../src/flow/app-removal.ts";
import { showAudit } from "../../src/flow/audit.ts";
import { pull } from "../../src/flow/build.ts";
import { bootApp, deploy, redeploy, rollback } from "../../src/flow/deploy.ts";
import { accessoryExec, appExec } from "../../src/flow/exec.ts";
import { takeLock } from "../../src/flow/lock.ts";
import { pruneAll, pruneContainers, pruneImages } from "../../src/flow/prune.ts";
import { login } from "../../src/flow/registry.ts";
import type { Run } from "../../src/flow/run.ts";
import { serverExec } from "../../src/flow/server.ts";
import { bootTraefik, restartTraefik, startTraefik, stopTraefik } from "../../src/flow/traefik.ts";
import { rebootTraefik } from "../../src/flow/traefik-reboot.ts";
import { removeStoppedTraefik, removeTraefik, removeTraefikImageOnly } from "../../src/flow/traefik-removal.ts";
import { accessory, config, role } from "../commands/support.ts";
import { shellWords } from "../commands/shell-words.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { observed, ownLabels, type Seen } from "../support/seen.ts";

const HOST = "192.0.2.1";
const settings = (destination?: string): Config =>
  config({
    destination,
    boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 },
    accessories: [accessory({ hosts: [HOST] })],
    roles: [role({ hosts: [HOST] })],
  });

function runOn(containers: readonly Omit<Seen, "labels">[], destination?: string): FakeRun {
  const app = settings(destination);
  const run = fakeRun(app);
  run.host(HOST);
  const labels = ownLabels(app, app.roles[0]!);
  const given = destination === undefined ? {} : { destination };
  observed(
    run.hosts.get(HOST)!,
    containers.map((container) => ({ ...container, ...given, labels })),
    { traefik: true },
  );
  run.hosts.get(HOST)!.replies(/^State$/, "");
  return run;
}

/** The lines that were written, without time and performer, and the file they went to. */
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

const RUNNING = [{ name: "app-web-1" }];
const STOPPED = [{ name: "app-web-1", state: "exited" }];
const NEW = { interactive: false, raw: false, reuse: false, env: new Map<string, string>() };
const IN_ACCESSORY = ["Stopped db accessory", "Remove db accessory container"];

test.each<[string, readonly Omit<Seen, "labels">[], (run: Run) => Promise<void>, string[]]>([
  [
    "app boot, of the version that runs",
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
    [{ name: "app-web-0" }],
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
    [{ name: "app-web-0" }],
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
    [{ name: "app-web-1" }, { name: "app-web-0", state: "exited" }],
    (run) => rollback(run, "0"),
    ["Tagging dhh/app:0 as the latest image", "[web] Booted app version 0"],
  ],
  ["app start", STOPPED, startApp, ["Started app version 1"]],
  ["app stop", RUNNING, stopApp, ["[web] Stopped app"]],
  ["app stop where nothing runs", STOPPED, stopApp, []],
  [
    "app exec",
    RUNNING,
    (run) => appExec(run, "echo 'a > b; $HOME'", NEW),
    ["Executed cmd 'echo 'a > b; $HOME'' on app version 1"],
  ],
  [
    "app exec --reuse",
    RUNNING,
    (run) => appExec(run, "ls", { ...NEW, reuse: true }),
    ["[web] Executed cmd 'ls' on app version 1"],
  ],
  ["app exec -i", RUNNING, (run) => appExec(run, "sh", { ...NEW, reuse: true, interactive: true }), []],
  [
    "app stale-containers --stop",
    [{ name: "app-web-1" }, { name: "app-web-0" }],
    (run) => staleContainers(run, { stop: true }),
    [],
  ],
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
  ["build pull", [], pull, ["Pulled image with version 1"]],
  ["prune all", STOPPED, (run) => pruneAll(run, undefined), ["Pruned containers", "Pruned images"]],
  ["prune containers", STOPPED, (run) => pruneContainers(run, 1), ["Pruned containers"]],
  ["prune images", STOPPED, pruneImages, ["Pruned images"]],
  ["traefik boot", [], bootTraefik, []],
  ["traefik reboot", [], (run) => rebootTraefik(run, { rolling: false, confirmed: true }), ["Rebooted traefik"]],
  ["traefik start", [], startTraefik, ["Started traefik"]],
  ["traefik stop", [], stopTraefik, ["Stopped traefik"]],
  ["traefik restart", [], restartTraefik, ["Stopped traefik", "Started traefik"]],
  [
    "traefik remove",
    [],
    (run) => removeTraefik(run, { force: false }),
    ["Stopped traefik", "Removed traefik container", "Removed traefik image"],
  ],
  ["traefik remove-container", [], removeStoppedTraefik, ["Removed traefik container"]],
  ["traefik remove-image", [], removeTraefikImageOnly, ["Removed traefik image"]],
  ["accessory boot", [], (run) => bootAccessory(run, "db"), ["Booted db accessory"]],
  ["accessory start", [], (run) => startAccessory(run, "db"), ["Started db accessory"]],
  ["accessory stop", [], (run) => stopAccessory(run, "db"), ["Stopped db accessory"]],
  ["accessory restart", [], (run) => restartAccessory(run, "db"), ["Stopped db accessory", "Started db accessory"]],
  ["accessory reboot", [], (run) => rebootAccessory(run, "db"), [...IN_ACCESSORY, "Booted db accessory"]],
  ["accessory exec", [], (run) => accessoryExec(run, "db", "ls -l", NEW), ["Executed cmd 'ls -l' on db accessory"]],
  [
    "accessory remove",
    [],
    (run) => removeAccessory(run, "all", { confirmed: true }),
    [...IN_ACCESSORY, "Removed db accessory image"],
  ],
  ["server exec", [], (run) => serverExec(run, "uptime", NEW), ["Executed cmd 'uptime' on server"]],
  ["lock acquire", [], (run) => takeLock(run, "why"), []],
  ["registry login", [], (run) => login(run), []],
])("%s writes its lines", async (_, containers, act, expected) => {
  const run = runOn(containers);
  await act(run);
  const written = lines(run);
  expect(written.lines).toEqual(expected);
  expect([...written.files]).toEqual(expected.length === 0 ? [] : ["mrsk-app-audit.log"]);
});

test("a destination has a log of its own, and a tag before the role's", async () => {
  const run = runOn([{ name: "app-web-staging-1" }], "staging");
  await stopApp(run);
  expect(lines(run)).toEqual({
    files: new Set(["mrsk-app-staging-audit.log"]),
    lines: ["[staging] [web] Stopped app"],
  });
});

test("audit shows the last fifty lines of each app host", async () => {
  const run = runOn([]);
  run.hosts.get(HOST)!.replies(/^Audit log$/, "[now] [somebody] Pruned images\n");
  await showAudit(run);
  expect(run.printed).toEqual([`App Host: ${HOST}\n[now] [somebody] Pruned images\n\n`]);
  expect(run.hosts.get(HOST)!.commands).toEqual(["tail -n 50 mrsk-app-audit.log 2>/dev/null || true"]);
});
