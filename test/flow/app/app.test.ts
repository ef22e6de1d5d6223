import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appContainers, appDetails, appImages, appVersion, staleContainers } from "../../../src/flow/app/app.ts";
import { startApp, stopApp } from "../../../src/flow/app/start-stop.ts";
import { removeApp, removeAppContainer, removeAppContainers } from "../../../src/flow/app/removal.ts";
import { details } from "../../../src/flow/details.ts";
import { remove } from "../../../src/flow/remove.ts";
import { select } from "../../../src/plan/select.ts";
import { accessory, config, role } from "../../support/config.ts";
import { fake, folder, run as runShell } from "../../support/fake-commands.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { aHost, container, stopped, type World } from "../../support/world.ts";

const HOST = "192.0.2.1";
const behindTraefik = aHost(HOST).behindTraefik();
const jobs = role({ name: "jobs", traefik: false, healthcheck: undefined });
const app = config({ roles: [role(), jobs], accessories: [accessory()] });

function runWith(world: World, hosts?: readonly string[]): FakeRun {
  const filters = { hosts, roles: undefined, primary: false };
  const run = fakeRun(app, { filters, selection: select(app, filters) });
  run.host("192.0.2.9");
  world.fake(run);
  return run;
}

const commands = (run: FakeRun) => run.hosts.get(HOST)!.commands;
const BOTH = behindTraefik.runs(container("web", 2), container("web", 1), container("jobs", 2));

test("details: Traefik, each role of the app, accessories, in blocks", async () => {
  const run = runWith(behindTraefik);
  run.hosts
    .get(HOST)!
    .replies(/label=role=web/, "web containers")
    .replies(/label=role=jobs/, "job containers");
  run.hosts.get("192.0.2.9")!.replies(/name=\^app-db\$/, "a database");
  await details(run);
  expect(run.printed).toEqual([
    expect.stringMatching(new RegExp(`^Traefik Host: ${HOST}\n.*traefik:v3`)) as string,
    `App Host: ${HOST}\nweb containers\n\n`,
    `App Host: ${HOST}\njob containers\n\n`,
    "Accessory db Host: 192.0.2.9\na database\n\n",
  ]);
});

test("details of a host that has only an accessory shows the accessory", async () => {
  const run = runWith(behindTraefik, ["192.0.2.9"]);
  await details(run);
  expect(run.printed).toEqual(["Accessory db Host: 192.0.2.9\n\n\n"]);
});

test("app details, containers, images and version print blocks of docker's output", async () => {
  const run = runWith(behindTraefik.runs(container("web", "v1-rc1"), container("jobs", 2)));
  run.hosts
    .get(HOST)!
    .replies(/^Details \(web\)$/, "running")
    .replies(/docker image ls/, "dhh/app");
  await appDetails(run);
  await appContainers(run);
  await appImages(run);
  await appVersion(run);
  expect(run.printed.slice(0, 2)).toEqual([`App Host: ${HOST}\nrunning\n\n`, `App Host: ${HOST}\n\n\n`]);
  expect(run.printed.slice(-2)).toEqual([
    `App Host: ${HOST}\ndhh/app\n\n`,
    `App Host: ${HOST}\nweb: v1-rc1\njobs: 2\n\n`,
  ]);
  expect(commands(run)).toContain("docker container ls --all --filter label=service=app");
  expect(commands(run)).toContain("docker image ls dhh/app");
});

test("start starts the container that was live last, or that of --version; stop stops all running ones", async () => {
  const run = runWith(behindTraefik.keeps(stopped("web", 2), stopped("web", 1), stopped("jobs", 1)));
  await startApp({ ...run, givenVersion: "1" });
  expect(run.hosts.get(HOST)!.steps).toEqual(
    expect.arrayContaining(["Start app-web-1 (web)", "Start app-jobs-1 (jobs)"]),
  );
  const latest = runWith(behindTraefik.keeps(stopped("web", 2), stopped("jobs", 1)));
  await startApp(latest);
  expect(latest.hosts.get(HOST)!.steps).toEqual(
    expect.arrayContaining(["Start app-web-2 (web)", "Start app-jobs-1 (jobs)"]),
  );
  const running = runWith(BOTH);
  await stopApp(running);
  expect(running.hosts.get(HOST)!.steps.filter((step) => step.startsWith("Stop"))).toEqual([
    "Stop app-web-2",
    "Stop app-web-1",
    "Stop app-jobs-2",
  ]);
});

test("stale containers are reported, and stopped only with --stop", async () => {
  const reported = runWith(BOTH);
  await staleContainers(reported, { stop: false });
  expect(reported.printed).toEqual([
    `App Host: ${HOST}\nDetected stale container for role web with version 1 (use \`mrsk app stale_containers --stop\` to stop)\n\n`,
  ]);
  expect(commands(reported).join("\n")).not.toContain("docker stop");
  const stopping = runWith(BOTH);
  await staleContainers(stopping, { stop: true });
  expect(stopping.printed).toEqual([`App Host: ${HOST}\nStopping stale container for role web with version 1\n\n`]);
  expect(stopping.hosts.get(HOST)!.steps).toContain("Stop app-web-1");
  expect(stopping.hosts.get(HOST)!.steps).not.toContain("Stop app-web-2");
});

test("removing a container that no host has is an error", async () => {
  const run = runWith(behindTraefik.keeps(stopped("web", 1)));
  await removeAppContainer(run, "1");
  expect(commands(run)).toContain("docker container rm id-of-app-web-1");
  await expect(removeAppContainer(run, "7")).rejects.toMatchObject({
    exitCode: 2,
    message: "No host has a container of version 7",
  });
});

test("remove removes app, Traefik, accessories and the login, and names the log that remains", async () => {
  const run = runWith(behindTraefik.runs(container("web", 1)));
  await remove(run, { confirmed: true });
  const steps = run.hosts.get(HOST)!.steps.join(" | ");
  expect(steps).toMatch(
    /Acquire the lock.*Stop app-web-1.*Remove the images.*Remove Traefik.*Log out.*Release the lock.*Remove empty folders/,
  );
  expect(run.hosts.get("192.0.2.9")!.steps.join(" | ")).toMatch(
    /Remove the container.*Remove the directory.*Remove the image/,
  );
  expect(run.printed).toEqual(["The audit log remains on each host: ~/mrsk-app-audit.log\n"]);
});

test.each([
  ["removes the empty folders of live files", "", []],
  ["keeps the folder of live files if a container of Traefik remains, which mounts it", "0123456789ab", ["traefik"]],
])("remove %s", async (_, containers, remaining) => {
  const run = runWith(behindTraefik.runs(container("web", 1)));
  await remove(run, { confirmed: true });
  fake("docker", `echo ${containers}`);
  mkdirSync(join(folder(), ".mrsk/traefik"), { recursive: true });
  const work = run.hosts.get(HOST)!.scripts.find(({ title }) => title === "Remove empty folders")!;
  expect(runShell(work.steps[0]!.body)).toMatchObject({ status: 0, stderr: "" });
  const left = readdirSync(folder()).includes(".mrsk") ? readdirSync(join(folder(), ".mrsk")) : [];
  expect(left).toEqual(remaining);
});

test("removing the app removes the certificate files of its roles, and of former roles", async () => {
  const run = runWith(
    behindTraefik
      .runs(container("web", 1), container("old", 1))
      .withLiveFile("app-web@tls", "")
      .withLiveFile("app-old@tls", ""),
  );
  const host = run.hosts.get(HOST)!;
  await removeApp(run);
  // The containers still run here, as docker lists them: their certificate is kept.
  expect(host.commands).not.toContain("remove_live_file /root/.mrsk/traefik app-web@tls");
  expect(host.commands).toContain("remove_live_file /root/.mrsk/traefik app-old@tls");
  const off = runWith(behindTraefik.keeps(stopped("web", 1)).withLiveFile("app-web@tls", ""));
  await removeAppContainers(off);
  expect(commands(off)).toContain("remove_live_file /root/.mrsk/traefik app-web@tls");
  const without = runWith(behindTraefik.keeps(stopped("web", 1)));
  await removeAppContainers(without);
  expect(commands(without).join("\n")).not.toContain("tls");
});

test("remove keeps the certificates of an authority, with the folder that they are in", async () => {
  const run = runWith(behindTraefik.runs(container("web", 1)));
  await remove(run, { confirmed: true });
  fake("docker", "");
  mkdirSync(join(folder(), ".mrsk/traefik"), { recursive: true });
  mkdirSync(join(folder(), ".mrsk/acme"));
  const work = run.hosts.get(HOST)!.scripts.find(({ title }) => title === "Remove empty folders")!;
  expect(runShell(work.steps[0]!.body)).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(join(folder(), ".mrsk"))).toEqual(["acme"]);
});

test("remove keeps a Traefik that other services use", async () => {
  const run = runWith(
    behindTraefik
      .runs(container("web", 1, { destination: "staging" }))
      .withNeighbour({ name: "shop-web-1", labels: { service: "shop", "traefik.enable": "true" } }),
  );
  await remove(run, { confirmed: true });
  expect(run.hosts.get(HOST)!.steps).not.toContain("Remove Traefik");
  expect(run.events).toContainEqual({
    kind: "note",
    host: HOST,
    text: "Traefik is not removed: app (staging), shop use it",
  });
});
