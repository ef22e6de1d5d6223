import { expect, test } from "vitest";
import { setup } from "../../src/flow/rollout/deploy.ts";
import { bootstrap, serverExec } from "../../src/flow/server.ts";
import { select } from "../../src/plan/select.ts";
import { accessory, config, role } from "../support/config.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";
import { JOINED } from "../../src/shell/constants.ts";

const HOSTS = ["192.0.2.1", "192.0.2.2", "192.0.2.9"];

/** Two app hosts and one of an accessory. */
function fleet(filter?: readonly string[]): FakeRun {
  const app = config({ roles: [role({ hosts: HOSTS.slice(0, 2) })], accessories: [accessory()] });
  const filters = { hosts: filter, roles: undefined, primary: false };
  const run = fakeRun(app, { filters, selection: select(app, filters) });
  for (const host of HOSTS) run.host(host);
  return run;
}

test("bootstrap installs on app and accessory hosts, and reports what it did", async () => {
  const run = fleet();
  run.hosts.get(HOSTS[0]!)!.replies(/Ensure Docker/, "present");
  run.hosts.get(HOSTS[1]!)!.replies(/Ensure Docker/, "installed by Docker's own script");
  await bootstrap(run);
  expect(run.events).toEqual([
    { kind: "note", host: HOSTS[1], text: "installed by Docker's own script" },
    { kind: "note", host: HOSTS[2], text: "Docker is ready" },
  ]);
  for (const host of HOSTS) expect(run.hosts.get(host)!.steps).toEqual(["Ensure Docker and curl"]);
});

test("bootstrap needs no version: the project may have no git repository", async () => {
  const run = fleet();
  const requestedVersion = () => Promise.reject(new Error("no git repository"));
  await bootstrap({ ...run, requestedVersion });
  expect(run.hosts.get(HOSTS[0]!)!.steps).toEqual(["Ensure Docker and curl"]);
});

test("after the user joined the group mrsk reconnects, and tries Docker as that user", async () => {
  const run = fleet([HOSTS[0]!]);
  run.hosts.get(HOSTS[0]!)!.replies(/Ensure Docker/, `installed\ndeploy ${JOINED}`);
  await bootstrap(run);
  expect(run.hosts.get(HOSTS[0]!)!.steps).toEqual([
    "Ensure Docker and curl",
    "(a new connection)",
    "Use Docker as the login user",
  ]);
  expect(run.hosts.get(HOSTS[1]!)!.steps).toEqual([]);
});

test("hosts where the user may not install are named in MRSK's message, other failures after them", async () => {
  const run = fleet();
  run.hosts.get(HOSTS[0]!)!.replies(/Ensure Docker/, "", ExitStatus.NOT_ALLOWED);
  run.hosts.get(HOSTS[1]!)!.replies(/Ensure Docker/, "", ExitStatus.NOT_ALLOWED);
  run.hosts.get(HOSTS[2]!)!.replies(/Ensure Docker/, "the disk is full", 1);
  await expect(bootstrap(run)).rejects.toMatchObject({
    exitCode: 5,
    message:
      "Docker is not installed on 192.0.2.1, 192.0.2.2 and can't be automatically installed without having root access and the `curl` command available.\n" +
      "192.0.2.9: Ensure Docker and curl failed (exit status 1)\nthe disk is full",
    hint: expect.stringMatching(/^Install Docker manually: https:\/\/docs.docker.com\/engine\/install\//) as string,
  });
});

test("bootstrap reports that docker is Podman, with a hint", async () => {
  const run = fleet([HOSTS[0]!]);
  run.hosts.get(HOSTS[0]!)!.replies(/Ensure Docker/, "podman version 4.9.3\n", ExitStatus.NOT_DOCKER);
  await expect(bootstrap(run)).rejects.toMatchObject({
    exitCode: 5,
    message: "192.0.2.1: `docker` is Podman there (podman version 4.9.3), not Docker",
    hint: expect.stringContaining("Remove the package podman-docker") as string,
  });
});

test("setup installs, boots the accessories, then deploys, under one lock", async () => {
  const run = fleet();
  run.hosts.get(HOSTS[2]!)!.replies(/Ensure Docker/, "present");
  run.hosts.get(HOSTS[0]!)!.replies(/^Docker engine$/, "no docker", 1);
  await expect(setup(run, { skipPush: true })).rejects.toThrow("no docker");
  expect(run.hosts.get(HOSTS[0]!)!.steps).toEqual([
    "Acquire the lock",
    "Ensure Docker and curl",
    "Docker engine",
    "Release the lock",
  ]);
  expect(run.hosts.get(HOSTS[2]!)!.steps).toContain("Start app-db");
  expect(run.events.at(-1)).toMatchObject({ kind: "finished", what: "Finished all" });
});

test("server exec runs on every host, and each line begins with the host's name", async () => {
  const run = fleet();
  for (const host of HOSTS) run.hosts.get(host)!.replies(/^Command$/, `up on ${host}\n`);
  await serverExec(run, run.terminal, "uptime", { interactive: false, raw: false });
  expect(run.printed).toEqual(HOSTS.map((host) => `${host} | up on ${host}\n`));
  expect(run.hosts.get(HOSTS[2]!)!.commands).toContain("set +e; eval uptime");
});

test("server exec -i exits with the command's status", async () => {
  const run = fleet();
  run.hosts.get(HOSTS[0]!)!.replies(/eval sh$/, "", 3);
  await expect(serverExec(run, run.terminal, "sh", { interactive: true, raw: false })).rejects.toMatchObject({
    exitCode: 3,
  });
});
