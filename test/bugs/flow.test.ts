import { afterEach, expect, test, vi } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { startApp, stopApp } from "../../src/flow/app/start-stop.ts";
import { removeApp } from "../../src/flow/app/removal.ts";
import { bootApp } from "../../src/flow/rollout/boot.ts";
import { deploy } from "../../src/flow/rollout/deploy.ts";
import { rollback } from "../../src/flow/rollout/rollback.ts";
import { accessoryExec, appExec } from "../../src/flow/app/exec.ts";
import { performHealthcheck } from "../../src/flow/app/healthcheck.ts";
import { withLock } from "../../src/flow/lock.ts";
import { appLogs } from "../../src/flow/app/logs.ts";
import { remove } from "../../src/flow/remove.ts";
import type { Run } from "../../src/flow/run.ts";
import { bootTraefik } from "../../src/flow/traefik/traefik.ts";
import { onHosts } from "../../src/hosts/on-hosts.ts";
import { select } from "../../src/plan/select.ts";
import { accessory, config, role } from "../support/config.ts";
import { configOf, withRequired } from "../config/from-yaml.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { aHost, container, stopped, type World } from "../support/world.ts";

// Bugs of MRSK 0.13.2 in the order of work, which are not copied.
const [FIRST, SECOND] = ["192.0.2.1", "192.0.2.2"] as const;
const quick = { limit: undefined, waitSeconds: 0, watchSeconds: 0 };

/** The hosts of the app, all of the same description. */
function runOn(app: Config, world: World, overrides: Partial<Run> = {}): FakeRun {
  const run = fakeRun(app, overrides);
  for (const name of new Set(app.roles.flatMap(({ hosts }) => hosts))) world.named(name).fake(run);
  return run;
}

const behindTraefik = aHost().behindTraefik();
const runs = (version: number | string) => behindTraefik.runs(container("web", version));
const keeps = (version: number | string) => behindTraefik.keeps(stopped("web", version));

const steps = (run: FakeRun, host: string = FIRST) => run.hosts.get(host)?.steps ?? [];
const commands = (run: FakeRun, host: string = FIRST) => run.hosts.get(host)?.commands ?? [];
const one = (overrides: Partial<Config> = {}) => config({ boot: quick, ...overrides });

afterEach(() => void vi.restoreAllMocks());

test("the lock is released only after the last host has finished, and both failures are reported", async () => {
  const run = fakeRun(one({ roles: [role({ hosts: [FIRST, SECOND] })] }));
  const order: string[] = [];
  let end = () => {};
  const slow = new Promise<void>((resolve) => (end = resolve));
  const report = (event: Parameters<Run["report"]>[0]) => void (event.kind === "title" && order.push(event.text));
  const work = withLock({ ...run, report }, () =>
    onHosts([{ name: FIRST }, { name: SECOND }], async ({ name }) => {
      if (name === FIRST) throw new Error("first is gone");
      await slow;
      order.push("the second host ended");
      throw new Error("second too");
    }),
  );
  setTimeout(end, 20);
  await expect(work).rejects.toThrow(/2 hosts failed:[^]*first is gone[^]*second too/);
  expect(order).toEqual(["Acquiring the deploy lock...", "the second host ended", "Releasing the deploy lock..."]);
});

test("accessory exec prints the command's output", async () => {
  const run = fakeRun(one({ accessories: [accessory({ hosts: [FIRST] })] }));
  run.host(FIRST);
  run.hosts.get(FIRST)!.replies(/^Command$/, "tables: 3\n");
  await accessoryExec(run, run.terminal, "db", "show tables", {
    interactive: false,
    raw: false,
    reuse: true,
    env: new Map(),
  });
  expect(run.printed.join("")).toContain("Accessory db Host: 192.0.2.1\ntables: 3\n");
});

test("a percentage of few hosts is one host, not none", async () => {
  const { boot } = await configOf(withRequired("boot: {limit: 10%}"));
  expect(boot.limit).toBe(1);
});

test("a quoted limit is a number, and there is no wait after the last group", async () => {
  const { boot } = await configOf(withRequired('boot: {limit: "2"}'));
  expect(boot.limit).toBe(2);
  const hosts = [FIRST, SECOND, "192.0.2.3"];
  const waits: number[] = [];
  const app = one({ roles: [role({ hosts })], boot: { limit: 2, waitSeconds: 9, watchSeconds: 0 } });
  const run = runOn(app, runs(0));
  Object.assign(run.clock, { sleep: async (seconds: number) => void waits.push(seconds) });
  await bootApp({ ...run, givenVersion: "1" });
  expect(waits).toEqual([9]);
});

test("a live version with dashes in its name is found, and stopped", async () => {
  const run = runOn(one(), runs("v1-rc1"));
  await deploy(run, { skipPush: true });
  expect(run.events).toContainEqual(
    expect.objectContaining({ text: "app-web-1 is live instead of app-web-v1-rc1" }) as object,
  );
  expect(commands(run).join("\n")).toMatch(/docker stop.* id-of-app-web-v1-rc1/);
});

test("a rollback to a missing version fails before any container changes", async () => {
  const run = runOn(one(), runs(1));
  run.hosts.get(FIRST)!.replies(/^Pull the image$/, "manifest unknown", 1);
  await expect(rollback(run, "nosuch")).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(
      /The app version 'nosuch' is not available as a container\n.*role web has no container of version nosuch \(it has: 1\)/,
    ) as string,
    hint: "See `mrsk app containers` for the versions on the hosts.",
  });
  expect(steps(run).filter((step) => /^(?:Start|Stop|Switch)/.test(step))).toEqual([]);
});

test("hosts with accessories alone are no hosts of the app", async () => {
  const app = one({ accessories: [accessory({ hosts: ["192.0.2.9"] })] });
  const filters = { hosts: ["192.0.2.9"], roles: undefined, primary: false };
  const run = fakeRun(app, { filters, selection: select(app, filters) });
  for (const act of [bootApp, stopApp, bootTraefik, (given: Run) => deploy(given, { skipPush: true })]) {
    await expect(act(run)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^No selected host runs (?:the app|Traefik)$/) as string,
      hint: "These do: 192.0.2.1.",
    });
  }
});

test("the lock is on the configured primary host, with any filters", async () => {
  const app = one({ roles: [role({ hosts: [FIRST, SECOND] })] });
  const filters = { hosts: [SECOND], roles: undefined, primary: false };
  const run = fakeRun(app, { filters, selection: select(app, filters) });
  await withLock(run, async () => {});
  expect(steps(run, FIRST)).toEqual(["Acquire the lock", "Release the lock"]);
  expect(steps(run, SECOND)).toEqual([]);
});

test("Ctrl-C and a failed boot release the lock", async () => {
  const interrupted = runOn(one(), runs(0));
  const stopping = { ...interrupted, performer: async () => (interrupted.abort(), "somebody") };
  await expect(deploy(stopping, { skipPush: true })).rejects.toMatchObject({ exitCode: 130 });
  expect(steps(interrupted).at(-1)).toBe("Release the lock");
  const failing = runOn(one(), runs(0));
  failing.hosts.get(FIRST)!.replies(/^Wait until healthy/, "no answer", 66);
  await expect(bootApp({ ...failing, givenVersion: "1" })).rejects.toMatchObject({ exitCode: 6 });
  expect(steps(failing).at(-1)).toBe("Release the lock");
});

test("remove prompts once, before it takes the lock, and a no changes nothing", async () => {
  const app = one({
    accessories: [accessory({ hosts: [FIRST] }), accessory({ name: "cache", service: "app-cache", hosts: [FIRST] })],
  });
  const asked: string[] = [];
  const answering = (answer: boolean) => async (question: string) => asked.push(question) > 0 && answer;
  const refused = runOn(app, runs(1), { confirm: answering(false) });
  await remove(refused, { confirmed: false });
  expect(steps(refused)).toEqual([]);
  expect(refused.printed).toEqual(["Aborted\n"]);
  const agreed = runOn(app, runs(1), { confirm: answering(true) });
  await remove(agreed, { confirmed: false });
  expect(steps(agreed)[0]).toBe("Acquire the lock");
  expect(asked).toEqual(Array(2).fill("This will remove all containers and images. Are you sure?"));
});

test("app boot names the container after the live version, not latest", async () => {
  const run = runOn(one(), runs("v7"));
  await bootApp(run);
  expect(commands(run).find((command) => command.startsWith("docker run"))).toContain("--name app-web-v7 ");
  const notRunning = runOn(one(), keeps("v6"));
  await bootApp(notRunning);
  expect(commands(notRunning).find((command) => command.startsWith("docker run"))).toContain("--name app-web-v6 ");
});

test("hosts that run different versions are reported, and the version to boot must be given", async () => {
  const app = one({ roles: [role({ hosts: [FIRST, SECOND] })] });
  const run = fakeRun(app);
  aHost(FIRST).runs(container("web", 1)).fake(run);
  aHost(SECOND).runs(container("web", 2)).fake(run);
  await expect(bootApp(run)).rejects.toMatchObject({
    exitCode: 2,
    message: "Which version? 192.0.2.1 (web): 1, 192.0.2.2 (web): 2",
    hint: "Name one: mrsk app boot --version VERSION",
  });
});

test("--skip-push in a dirty tree is refused before any work", async () => {
  const run = runOn(one(), behindTraefik, {
    requestedVersion: async () => "abc_uncommitted_0123456789abcdef",
  });
  await expect(deploy(run, { skipPush: true })).rejects.toMatchObject({
    exitCode: 2,
    message: "There are uncommitted changes, so the version to deploy was never built",
  });
  expect(steps(run)).toEqual([]);
});

test("--hosts with a worker starts no Traefik there", async () => {
  const workers = role({ name: "workers", hosts: [SECOND], traefik: false, healthcheck: undefined });
  const app = one({ roles: [role(), workers] });
  const filters = { hosts: [SECOND], roles: undefined, primary: false };
  const run = fakeRun(app, { filters, selection: select(app, filters) });
  aHost(SECOND).fake(run);
  await deploy(run, { skipPush: true });
  expect(steps(run, SECOND)).toContain("Start app-workers-1 (workers)");
  expect(commands(run, SECOND).join("\n")).not.toContain("--name traefik");
});

test("app remove removes every container, also of roles that deploy.yml no longer has", async () => {
  const run = runOn(
    one(),
    behindTraefik.runs(
      container("web", 2),
      container("web", 1),
      container("jobs", 1),
      container("web", 1, { destination: "staging" }),
    ),
  );
  await removeApp(run);
  const stops = commands(run).filter((command) => command.includes("docker stop"));
  expect(stops.map((command) => /id-of-\S+/.exec(command)![0])).toEqual([
    "id-of-app-web-2",
    "id-of-app-web-1",
    "id-of-app-jobs-1",
  ]);
  expect(commands(run)).toContain("docker container rm id-of-app-jobs-1");
  expect(commands(run).join("\n")).toContain("remove_live_file /root/.mrsk/traefik app-jobs");
  expect(commands(run).join("\n")).not.toContain("staging");
});

test("the container of healthcheck perform publishes no port", async () => {
  const app = one({ roles: [role({ options: new Map([["publish", ["80:3000"]]]) })] });
  const run = fakeRun(app);
  await performHealthcheck(run);
  const started = commands(run).find((command) => command.startsWith("docker run"));
  expect(started).toContain("--name healthcheck-app-1 ");
  expect(started).not.toContain("publish");
});

test.each([
  ["Traefik was stopped, and was started", aHost(FIRST).behindTraefik({ state: "exited" })],
  ["Traefik started", aHost(FIRST)],
])("traefik boot reports: %s", async (text, world) => {
  const run = fakeRun(one());
  world.fake(run);
  await bootTraefik(run);
  expect(run.events).toContainEqual({ kind: "note", host: FIRST, text });
});

test("a Traefik that cannot start is an error", async () => {
  const run = fakeRun(one());
  aHost(FIRST)
    .fake(run)
    .replies(/^Start Traefik$/, "unknown flag: --bad-option", 125);
  await expect(bootTraefik(run)).rejects.toMatchObject({
    exitCode: 5,
    message: expect.stringContaining("unknown flag: --bad-option") as string,
  });
});

test("the hosts of a followed log are printed before it, on standard error", async () => {
  const run = runOn(one(), runs(1));
  run.hosts.get(FIRST)!.replies(/^Follow$/, "a line\n");
  await appLogs(run, run.terminal, { follow: true });
  expect(run.events).toContainEqual({ kind: "note", text: "Following logs on 192.0.2.1..." });
  expect(run.printed).toEqual(["a line\n"]);
});

test("app stop on a host whose containers are all stopped is no failure, and stops nothing", async () => {
  const run = runOn(one(), keeps(1));
  await stopApp(run);
  expect(steps(run).filter((step) => step.startsWith("Stop"))).toEqual([]);
  await startApp(run);
  expect(steps(run)).toContain("Start app-web-1 (web)");
});

test("--since and --lines have an effect with --follow", async () => {
  const run = runOn(one(), runs(1));
  await appLogs(run, run.terminal, { follow: true, since: "10m", lines: 5 });
  expect(commands(run).at(-1)).toBe("docker logs --since 10m --tail 5 --timestamps --follow id-of-app-web-1 2>&1");
});

test("the log of a container that did not become healthy is in the error", async () => {
  const run = runOn(one(), runs(0));
  run.hosts.get(FIRST)!.replies(/^Wait until healthy/, "Last lines of its log:\nboom: no database", 66);
  await expect(deploy(run, { skipPush: true })).rejects.toMatchObject({
    exitCode: 6,
    message: expect.stringContaining("boom: no database") as string,
  });
});

test("app exec in a new container runs the version deployed last if none is live", async () => {
  const run = runOn(one(), behindTraefik.released("1", "2"));
  await appExec(run, run.terminal, "node report.js", { interactive: false, raw: false, reuse: false, env: new Map() });
  expect(commands(run).find((command) => command.startsWith("docker run"))).toContain(" dhh/app:2 node report.js");
});

test("app exec in a new container needs no running container", async () => {
  const run = runOn(one(), behindTraefik);
  run.hosts.get(FIRST)!.replies(/^Command$/, "42\n");
  await appExec(run, run.terminal, "node report.js", { interactive: false, raw: false, reuse: false, env: new Map() });
  expect(run.printed.join("")).toContain("42\n");
});
