import { expect, test } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { bootApp } from "../../../src/flow/rollout/boot.ts";
import { deploy, redeploy } from "../../../src/flow/rollout/deploy.ts";
import { rollback } from "../../../src/flow/rollout/rollback.ts";
import { accessory, built, config, proxy, role } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";
import { aHost, container, containerOfMrsk, stopped, World } from "../../support/world.ts";

const HOSTS = ["192.0.2.1", "192.0.2.2"] as const;
const [FIRST, SECOND] = HOSTS;
const behindTraefik = aHost().behindTraefik();
const REVERT = { revert: true };
/** Two hosts of the same description, or of one each. */
function runOn(worlds: World | readonly [World, World], overrides: Partial<Config> = {}): FakeRun {
  const run = fakeRun(
    config({
      roles: [role({ hosts: HOSTS })],
      boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 },
      ...overrides,
    }),
  );
  for (const [i, name] of HOSTS.entries()) {
    const world = worlds instanceof World ? worlds : worlds[i]!;
    world
      .named(name)
      .fake(run)
      .replies(/^Check the image$/, "");
  }
  return run;
}

const stepsOf = (run: FakeRun, host: string) => run.hosts.get(host)!.steps.join(" | ");

test("a rollback without a version goes to the version deployed before, not to the container of a failed deploy", async () => {
  const failed = stopped("web", 3);
  const run = runOn(behindTraefik.keeps(failed).runs(container("web", 2)).keeps(stopped("web", 1)).released("1", "2"));
  await rollback(run, undefined, REVERT);
  for (const host of HOSTS) expect(stepsOf(run, host)).toMatch(/Start app-web-1.*Switch the requests over/);
});

test("after `app stop` a rollback goes to the version before the stopped one", async () => {
  const live = stopped("web", 2);
  const run = runOn(behindTraefik.keeps(live, stopped("web", 1)).routesTo(live).released("1", "2"));
  await rollback(run, undefined, REVERT);
  expect(stepsOf(run, FIRST)).toContain("Start app-web-1 (web)");
});

test("if the hosts differ, a rollback without a version is an error, and changes nothing", async () => {
  const run = runOn([
    behindTraefik.runs(container("web", 2)).released("1", "2"),
    behindTraefik.runs(container("web", 2)).released("0", "2"),
  ]);
  await expect(rollback(run, undefined, REVERT)).rejects.toMatchObject({
    exitCode: 2,
    message: `Which version? ${FIRST} (web): 1, ${SECOND} (web): 0`,
    hint: "Name one: mrsk rollback VERSION",
  });
  expect(stepsOf(run, FIRST)).not.toContain("Start app-web");
});

test("a rollback creates a pruned container from its image, and skips the release command", async () => {
  const release = { command: "npm run migrate", timeoutSeconds: 600, role: "web" };
  const run = runOn(
    [behindTraefik.runs(container("web", 2)).keeps(stopped("web", 1)), behindTraefik.runs(container("web", 2))],
    { release },
  );
  await rollback(run, "1", REVERT);
  expect(stepsOf(run, SECOND)).toMatch(/Pull the image.*Start app-web-1/);
  expect(run.transcript.join("\n")).not.toContain("release command");
});

test("without a container and an image of the version, the error lists the versions of the host", async () => {
  const run = runOn(behindTraefik.runs(container("web", 2)).keeps(stopped("web", 1)));
  for (const host of HOSTS) run.hosts.get(host)!.replies(/^Pull the image$/, "manifest unknown", 1);
  await expect(rollback(run, "9", REVERT)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining(`${FIRST}: role web has no container of version 9 (it has: 2, 1)`) as string,
  });
});

test("app boot starts the live version in a new container", async () => {
  const run = runOn(behindTraefik.runs(container("web", 2)));
  await bootApp(run, REVERT);
  for (const host of HOSTS) {
    expect(stepsOf(run, host)).toMatch(/Rename app-web-2 as already deployed.*Start app-web-2/);
  }
});

test("a deploy runs the release command after the pull and before any container starts; a failure releases the lock", async () => {
  const release = { command: "npm run migrate", timeoutSeconds: 600, role: "web" };
  const never = { now: () => new Date(0), sleep: () => new Promise<void>(() => {}) };
  const given = behindTraefik.runs(container("web", 0));
  const run = Object.assign(runOn(given, { release }), { clock: never });
  await deploy(run, { skipPush: true, revert: true });
  const index = (step: string) => run.transcript.findIndex((line) => line.includes(step));
  expect(index("Check the image")).toBeLessThan(index("Run the release command"));
  expect(index("Run the release command")).toBeLessThan(index("Start app-web-1"));
  expect(run.transcript.filter((line) => line.includes("Run the release command"))).toHaveLength(1);

  const failing = Object.assign(runOn(given, { release }), { clock: never });
  failing.hosts.get(FIRST)!.replies(/Run the release command/, "no", 1);
  await expect(deploy(failing, { skipPush: true, revert: true })).rejects.toMatchObject({ exitCode: 9 });
  expect(failing.transcript.join("\n")).not.toContain("Start app-web-1");
  expect(failing.transcript.at(-1)).toBe(`${FIRST}: Release the lock`);
});

test("an interruption after the switch keeps the deploy, and skips the post-deploy hook", async () => {
  const run = runOn(behindTraefik.runs(container("web", 0)));
  run.hosts.get(SECOND)!.when(/Stop the old container/, () => run.abort());
  await deploy(run, { skipPush: true, revert: true });
  expect(run.events.at(-1)).toEqual({ kind: "warning", text: "Interrupted after the switch: the run was completed." });
  expect(run.transcript.at(-1)).toBe(`${FIRST}: Release the lock`);
});

test.each([
  ["a quick one", 6, 1],
  ["a long one", 11, 2],
])("after a long build the hosts are observed again: %s", async (_, seconds, looks) => {
  const run = runOn(behindTraefik.runs(container("web", 1)));
  let now = Date.UTC(2026, 0, 2);
  const clock = { ...run.clock, now: () => new Date(now) };
  run.host("localhost");
  run.hosts.get("localhost")!.when(/^Build the image$/, () => (now += seconds * 1000));
  await deploy({ ...run, clock }, { skipPush: false });
  expect(run.hosts.get(FIRST)!.steps.filter((name) => name === "Inspect containers")).toHaveLength(looks);
  expect(run.hosts.get(FIRST)!.steps.filter((name) => name === "Docker engine")).toHaveLength(1);
});

test("a kept container of the version hides no obstacle of the deploy, which creates a new one", async () => {
  const rule = { labels: new Map([["traefik.http.routers.app-web.rule", "Host(`new.example`)"]]) };
  const run = runOn(
    aHost()
      .behindTraefikOfMrsk()
      .runs(containerOfMrsk("web", 0))
      .keeps(containerOfMrsk("web", 1, { state: "exited" })),
    {
      roles: [role({ hosts: HOSTS, ...rule })],
    },
  );
  await expect(redeploy(run, { skipPush: false })).rejects.toThrow("the routing labels of role web change");
  expect(stepsOf(run, FIRST)).not.toContain("Pull the image");
});

test("an obstacle on a host is the error of the deploy, and nothing is pushed", async () => {
  const run = runOn(behindTraefik, { builder: built({ kind: "native" }).builder });
  run.hosts.get(SECOND)!.when(/^Docker engine$/, () => {
    throw new Error("the daemon does not answer");
  });
  await expect(redeploy(run, { skipPush: false })).rejects.toThrow("the daemon does not answer");
  expect(run.hosts.get("localhost")!.steps).not.toContain("Push the image");
  expect(stepsOf(run, FIRST)).not.toContain("Pull the image");
});

test.each([
  ["deploy", deploy, 1],
  ["redeploy", redeploy, 1],
  ["deploy that watches", deploy, 2],
] as const)("%s takes a host as many round trips as it has phases", async (_, act, watch) => {
  const boot = { limit: undefined, waitSeconds: 0, watchSeconds: watch - 1 };
  const run = runOn(behindTraefik.runs(container("web", 0)), { boot });
  run.host("localhost");
  await act(run, { skipPush: false });
  const phases = [
    "Observe the host",
    "Fetch the image",
    "Start",
    "Switch",
    ...(watch > 1 ? ["Watch"] : []),
    "Finalize",
  ];
  expect(scriptsOf(run, SECOND)).toEqual(phases);
  expect(scriptsOf(run, FIRST)).toEqual(["Acquire the lock", ...phases, "Release the lock"]);
});

/** Titles of the scripts that a host was sent, each a round trip (`test/ssh/session.test.ts`). */
function scriptsOf(run: FakeRun, host: string): string[] {
  const titles = run.hosts.get(host)!.transcript.map((line) => line.slice(0, line.indexOf(" > ")));
  return titles.filter((title, i) => title !== titles[i - 1]);
}

test("a deploy starts Traefik on a host with a routed accessory alone, before it changes the app", async () => {
  const other = "192.0.2.9";
  const routed = accessory({ hosts: [other], proxy: proxy({ hosts: ["a.b"] }) });
  const run = runOn(behindTraefik.runs(container("web", 1)), { accessories: [routed] });
  aHost(other).fake(run);
  await deploy(run, { ...REVERT, skipPush: true });
  const steps = run.transcript.filter((line) => /: Start (?:Traefik|app-web)/.test(line));
  expect(steps[0]).toBe(`${other}: Start Traefik`);
  expect(steps.slice(1).toSorted()).toEqual(HOSTS.map((host) => `${host}: Start app-web-1 (web)`));
});

test("each host gets a Traefik with its own settings", async () => {
  const { traefik } = config();
  const run = runOn(aHost(), { hostTraefik: new Map([[SECOND, { ...traefik, hostPort: 8080 }]]) });
  await deploy(run, { ...REVERT, skipPush: true });
  const published = HOSTS.map((host) => {
    const start = run.hosts.get(host)!.commands.find((text) => text.includes("docker run --name traefik"));
    return /--publish (\S+)/.exec(start!)?.[1];
  });
  expect(published).toEqual(["80:80", "8080:80"]);
});
