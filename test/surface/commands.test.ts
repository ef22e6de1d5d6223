import { Readable } from "node:stream";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { deliver, pull, push } from "../../src/flow/build/build.ts";
import { builderDetails, createBuilder, removeBuilder } from "../../src/flow/build/builder.ts";
import { deploy, redeploy, setup } from "../../src/flow/rollout/deploy.ts";
import { rollback } from "../../src/flow/rollout/rollback.ts";
import { accessoryExec, appExec } from "../../src/flow/app/exec.ts";
import { freeLock, lockStatus, takeLock } from "../../src/flow/lock.ts";
import { accessoryLogs, appLogs, traefikLogs } from "../../src/flow/app/logs.ts";
import { login, logout } from "../../src/flow/registry.ts";
import type { Terminal } from "../../src/flow/terminal.ts";
import { bootTraefik, startTraefik, stopTraefik, traefikDetails } from "../../src/flow/traefik/traefik.ts";
import { rebootTraefik } from "../../src/flow/traefik/reboot.ts";
import { removeTraefik } from "../../src/flow/traefik/removal.ts";
import { performHealthcheck } from "../../src/flow/app/healthcheck.ts";
import { accessory, config, role } from "../support/config.ts";
import { machine } from "../support/fake-docker.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { aHost, container, type World } from "../support/world.ts";

// Commands and options that no other test covers: the commands that each host gets.
const [HOST, OTHER] = ["192.0.2.1", "192.0.2.2"] as const;
const behindTraefik = aHost().behindTraefik();
const settings = (overrides: Partial<Config> = {}) =>
  config({
    roles: [role({ hosts: [HOST, OTHER] })],
    accessories: [accessory({ hosts: [OTHER] })],
    boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 },
    ...overrides,
  });

const TERMINAL: Terminal["stdin"] = { kind: "terminal", open: () => Readable.from([]) };

/** Both hosts are behind Traefik, and run this version. */
function running(version: string, overrides: Parameters<typeof fakeRun>[1] = {}): FakeRun {
  return runOn(behindTraefik.runs(container("web", version)), overrides);
}

function runOn(world: World, overrides: Parameters<typeof fakeRun>[1] = {}): FakeRun {
  const run = fakeRun(overrides.config ?? settings(), overrides);
  for (const host of [HOST, OTHER]) world.named(host).fake(run);
  return run;
}

const commands = (run: FakeRun, host: string = HOST) => run.hosts.get(host)?.commands ?? [];
const steps = (run: FakeRun, host: string = HOST) => run.hosts.get(host)?.steps ?? [];
const titles = (run: FakeRun) => run.events.flatMap((event) => (event.kind === "title" ? [event.text] : []));

test("deploy announces each part, and prints the total time", async () => {
  const run = running("0");
  await deploy(run, { skipPush: true });
  expect(titles(run)).toEqual([
    "Acquiring the deploy lock...",
    "Log into image registry...",
    "Pull app image...",
    "Start containers with version 1...",
    "Stop the old containers...",
    "Releasing the deploy lock...",
  ]);
  expect(run.events.at(-1)).toEqual({ kind: "finished", what: "Finished all", seconds: 0 });
});

test("deploy builds except with -P, redeploy does not log in", async () => {
  const here = machine();
  writeFileSync(join(here.home, "Dockerfile"), "FROM scratch\n");
  const run = running("0", { local: here.host, cwd: here.home });
  await redeploy(run, { skipPush: false });
  expect(titles(run)).toContain("Build and push app image...");
  expect(titles(run)).not.toContain("Log into image registry...");
  expect(here.calls().some((words) => words.startsWith("buildx build --push"))).toBe(true);
  const skipping = running("0");
  await redeploy(skipping, { skipPush: true });
  expect(titles(skipping)).not.toContain("Build and push app image...");
});

test("setup -P deploys without a build, also the second time", async () => {
  const run = running("1");
  run.hosts.get(OTHER)!.replies(/^State$/, "running");
  await setup(run, { skipPush: true });
  await setup(run, { skipPush: true });
  expect(titles(run)).not.toContain("Build and push app image...");
  expect(steps(run).filter((step) => step === "Ensure Docker and curl")).toHaveLength(2);
});

test("rollback without a version takes the previous one", async () => {
  const run = runOn(behindTraefik.runs(container("web", 2)).released("1", "2"));
  await rollback(run, undefined);
  expect(run.events).toContainEqual(
    expect.objectContaining({ text: "app-web-1 is live instead of app-web-2" }) as object,
  );
});

test("healthcheck perform starts a container of the version on the primary host, and removes it", async () => {
  const run = fakeRun(settings());
  await performHealthcheck(run);
  expect(steps(run)).toEqual(["Read the engine's log driver", "Start the container", "Wait until healthy"]);
  expect(steps(run, OTHER)).toEqual([]);
  const sick = fakeRun(settings());
  sick.host(HOST);
  sick.hosts.get(HOST)!.replies(/^Wait until healthy$/, "starting", 66);
  await expect(performHealthcheck(sick)).rejects.toMatchObject({ exitCode: 6 });
});

test("registry login and logout reach this machine and the servers, -L and -R skip one", async () => {
  for (const [act, what] of [
    [login, "docker login"],
    [logout, "docker logout"],
  ] as const) {
    const reached = async (scope: { skipLocal?: boolean; skipRemote?: boolean }) => {
      const run = fakeRun(settings());
      await act(run, scope);
      return [...run.hosts].filter(([, host]) => host.commands.join().includes(what)).map(([name]) => name);
    };
    expect(await reached({})).toEqual(["localhost", HOST, OTHER]);
    expect(await reached({ skipLocal: true })).toEqual([HOST, OTHER]);
    expect(await reached({ skipRemote: true })).toEqual(["localhost"]);
  }
});

test("logs: --since, --lines, --grep and --grep-options select lines, by default the last 100", async () => {
  const sentBy = async (choice: Parameters<typeof appLogs>[2]) => {
    const run = running("1");
    await appLogs(run, run.terminal, choice);
    return commands(run).at(-1);
  };
  expect(await sentBy({})).toBe("docker logs --tail 100 id-of-app-web-1 2>&1");
  expect(await sentBy({ since: "10m" })).toBe("docker logs --since 10m id-of-app-web-1 2>&1");
  expect(await sentBy({ lines: 7, grep: "it's", grepOptions: "-C 3 -i" })).toBe(
    String.raw`docker logs --tail 7 id-of-app-web-1 2>&1 | grep -C 3 -i -e 'it'\''s'`,
  );
});

test("logs are printed in blocks, with a message for an empty one", async () => {
  const run = running("1");
  run.hosts.get(HOST)!.replies(/^Logs$/, "a line\n");
  await appLogs(run, run.terminal, {});
  expect(run.printed.toSorted()).toEqual([`App Host: ${HOST}\na line\n\n`, `App Host: ${OTHER}\nNothing found\n\n`]);
});

test("logs of an accessory and of Traefik have timestamps", async () => {
  const run = running("1");
  await accessoryLogs(run, run.terminal, "db", { lines: 5 });
  await traefikLogs(run, run.terminal, { since: "1h", grep: "error" });
  expect(commands(run, OTHER)).toContain("docker logs --tail 5 --timestamps app-db 2>&1");
  expect(commands(run)).toContain("docker logs --since 1h --timestamps traefik 2>&1 | grep -e error");
  expect(run.printed).toContain(`Accessory db Host: ${OTHER}\nNothing found\n\n`);
  expect(run.printed).toContain(`Traefik Host: ${HOST}\nNothing found\n\n`);
});

test("-f follows all hosts in parallel, each line after its host's name", async () => {
  const run = running("1");
  for (const host of [HOST, OTHER]) run.hosts.get(host)!.replies(/^Follow$/, `of ${host}\n`);
  await appLogs(run, run.terminal, { follow: true });
  expect(run.events).toContainEqual({ kind: "note", text: `Following logs on ${HOST}, ${OTHER}...` });
  await traefikLogs(run, run.terminal, { follow: true });
  await accessoryLogs(run, run.terminal, "db", { follow: true });
  expect(run.printed.toSorted()).toEqual(
    [HOST, HOST, OTHER, OTHER]
      .map((host) => `${host} | of ${host}\n`)
      .concat(`of ${OTHER}\n`)
      .toSorted(),
  );
});

/** The last command except the audit line's. */
const last = (...where: Parameters<typeof commands>) =>
  commands(...where).findLast((command) => !command.includes("audit.log"));

test("app exec: a new container or --reuse, -e for a variable, -i for a terminal", async () => {
  const choice = { interactive: false, raw: false, reuse: false, env: new Map([["A", "b c"]]) };
  const made = "--name app-web-exec-000000000000 --label mrsk.exec=app -e A dhh/app:1";
  const fresh = running("1");
  await appExec(fresh, fresh.terminal, "npm run 'a b'", choice);
  expect(last(fresh)).toBe(`docker run --rm ${made} npm run 'a b'`);
  const reused = running("1");
  await appExec(reused, reused.terminal, "ls", { ...choice, reuse: true });
  expect(last(reused, OTHER)).toBe("docker exec -e A id-of-app-web-1 ls");
  for (const reuse of [true, false]) {
    const run = running("1", { terminal: { stdin: TERMINAL } });
    await appExec(run, run.terminal, "sh", { ...choice, interactive: true, reuse });
    const entered = reuse ? "docker exec -it -e A id-of-app-web-1 sh" : `docker run -it --rm ${made} sh`;
    expect([last(run), commands(run, OTHER)]).toEqual([entered, []]);
  }
});

test("app exec --detach starts a container that remains, and gives it no input", async () => {
  const choice = { interactive: false, raw: false, reuse: false, detach: true, env: new Map<string, string>() };
  const run = running("1", { terminal: { stdin: { kind: "piped", open: () => Readable.from(["input"]) } } });
  run.hosts.get(HOST)!.replies(/^docker run/, "0123abcd\n");
  await appExec(run, run.terminal, "npm run report", choice);
  expect(last(run)).toBe(
    "docker run --detach --name app-web-exec-000000000000 --label mrsk.exec=app dhh/app:1 npm run report",
  );
  expect(run.hosts.get(HOST)!.scripts.at(-1)!.cleanup).toBeUndefined();
  expect(run.printed.join("")).toContain("0123abcd");
});

test.each([
  [{ interactive: true }, "--detach and --interactive contradict each other"],
  [{ reuse: true }, "--detach and --reuse contradict each other"],
  [{ raw: true }, "--detach and --raw contradict each other"],
])("app exec --detach with %j is an error, before a host is reached", async (other, message) => {
  const choice = { interactive: false, raw: false, reuse: false, detach: true, env: new Map<string, string>() };
  const run = running("1");
  await expect(appExec(run, run.terminal, "ls", { ...choice, ...other })).rejects.toMatchObject({
    name: "UsageError",
    message,
  });
  expect(steps(run)).toEqual([]);
});

test("logs --container-id finds the containers of the app and of app exec, by name or the beginning of the id", async () => {
  const sentBy = async (containerId: string) => {
    const run = running("1");
    run.hosts
      .get(OTHER)!
      .replies(/^List containers of app exec$/, "fedcba98 app-web-exec-1\n0123abcd app-web-exec-2\n");
    await appLogs(run, run.terminal, { containerId });
    return [HOST, OTHER].map((host) => commands(run, host).filter((command) => command.startsWith("docker logs")));
  };
  const live = "docker logs --tail 100 id-of-app-web-1 2>&1";
  expect(await sentBy("app-web-1")).toEqual([[live], [live]]);
  expect(await sentBy("0123")).toEqual([[], ["docker logs --tail 100 0123abcd 2>&1"]]);
  await expect(sentBy("nosuch")).rejects.toMatchObject({
    message: "No selected host has a container nosuch of the app",
    exitCode: 2,
  });
});

test("accessory exec: a new container or --reuse, -i on its first host", async () => {
  const choice = { interactive: false, raw: false, reuse: false, env: new Map<string, string>() };
  const run = fakeRun(settings(), { terminal: { stdin: TERMINAL } });
  await accessoryExec(run, run.terminal, "db", "mysql -e 'show tables'", choice);
  const made = "--name app-db-exec-000000000000 --label mrsk.exec=app mysql:8.0";
  expect(last(run, OTHER)).toBe(`docker run --rm ${made} mysql -e 'show tables'`);
  await accessoryExec(run, run.terminal, "db", "ls", { ...choice, reuse: true });
  expect(last(run, OTHER)).toBe("docker exec app-db ls");
  await accessoryExec(run, run.terminal, "db", "mysql", { ...choice, interactive: true, reuse: true });
  expect(last(run, OTHER)).toBe("docker exec -it app-db mysql");
});

test("build: deliver is push and pull; create, remove and details act on this machine", async () => {
  const here = machine(
    `made=$(dirname "$0")/made
case "$*" in
  "buildx create"*) : >"$made" ;;
  "buildx inspect"*) [ ! -e "$made" ] || exit 0; echo 'ERROR: no builder "mrsk-app-multiarch" found' >&2; exit 1 ;;
  "context ls") echo contexts ;;
  "buildx ls") echo builders ;;
esac`,
  );
  writeFileSync(join(here.home, "Dockerfile"), "FROM scratch\n");
  const run = fakeRun(settings(), { local: here.host, cwd: here.home });
  await push(run, "1");
  expect(here.calls().join("\n")).toMatch(/^buildx build --push .*-t dhh\/app:1 -t dhh\/app:latest/m);
  await pull(run);
  expect(steps(run, OTHER)).toContain("Pull the image");
  await deliver(run);
  expect(here.calls().join("\n")).toMatch(/^buildx create .*mrsk-app-multiarch/m);
  await createBuilder(run);
  await removeBuilder(run);
  expect(here.calls()).toContain("buildx rm mrsk-app-multiarch");
  await builderDetails(run);
  expect(run.printed).toEqual(["Builder: mrsk-app-multiarch\n", "contexts\nbuilders\n"]);
});

test("lock: acquire with a message, status, release", async () => {
  const run = fakeRun(settings());
  await takeLock(run, "sale");
  expect(run.printed).toEqual(["Acquired the deploy lock\n"]);
  const encoded = /acquire_lock .* '([A-Za-z0-9+/=\n]+)'$/.exec(commands(run).at(-1)!)![1]!;
  expect(Buffer.from(encoded, "base64").toString()).toBe(
    "Locked by: Some Body at 2026-01-02T03:04:05Z\nVersion: 1\nMessage: sale",
  );
  run.hosts
    .get(HOST)!
    .replies(/^Lock$/, "Locked by: Ada\n")
    .replies(/^Release the lock$/, "released");
  await lockStatus(run);
  await freeLock(run);
  expect(run.printed.slice(1)).toEqual(["Locked by: Ada\n", "Released the deploy lock\n"]);
});

test("traefik: boot, start, stop, details reach the hosts that run it", async () => {
  const run = running("1");
  for (const host of [HOST, OTHER]) run.hosts.get(host)!.replies(/^Stop Traefik$/, "No such container", 1);
  await bootTraefik(run);
  await startTraefik(run);
  await stopTraefik(run);
  await traefikDetails(run);
  for (const host of [HOST, OTHER]) {
    expect(steps(run, host)).toEqual(expect.arrayContaining(["Start Traefik", "Stop Traefik", "Traefik"]));
    expect(run.printed.join("")).toContain(`Traefik Host: ${host}\n`);
  }
});

test("traefik reboot asks for confirmation unless -y, and no changes nothing; --rolling replaces host by host", async () => {
  const questions: string[] = [];
  const run = running("1", { confirm: async (question) => questions.push(question) < 0 });
  await rebootTraefik(run, { rolling: false, confirmed: false });
  expect(questions).toHaveLength(1);
  expect(run.printed).toEqual(["Aborted\n"]);
  for (const changing of ["Acquire the lock", "Replace the container"]) expect(steps(run)).not.toContain(changing);
  const failing = running("1");
  failing.hosts.get(HOST)!.replies(/^Replace the container$/, "no", 1);
  await expect(rebootTraefik(failing, { rolling: true, confirmed: true })).rejects.toMatchObject({ exitCode: 5 });
  expect(steps(failing, OTHER)).not.toContain("Replace the container");
  await expect(rebootTraefik(failing, { rolling: false, confirmed: true })).rejects.toMatchObject({ exitCode: 5 });
  expect(steps(failing, OTHER)).toContain("Replace the container");
});

test("traefik remove keeps a Traefik that other services use, unless -f", async () => {
  const shop = { name: "shop-web-1", labels: { service: "shop", "traefik.enable": "true" } };
  const run = runOn(behindTraefik.withNeighbour(shop));
  await removeTraefik(run, { force: false });
  expect(steps(run)).not.toContain("Remove Traefik");
  await removeTraefik(run, { force: true });
  expect(steps(run)).toContain("Remove Traefik");
});
