import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { removeAppContainer } from "../../src/flow/app/removal.ts";
import { deliver, pull, pushImage } from "../../src/flow/build/build.ts";
import { bootApp } from "../../src/flow/rollout/boot.ts";
import { deploy, redeploy, setup } from "../../src/flow/rollout/deploy.ts";
import { rollback } from "../../src/flow/rollout/rollback.ts";
import { appExec } from "../../src/flow/app/exec.ts";
import { performHealthcheck } from "../../src/flow/app/healthcheck.ts";
import { promote } from "../../src/flow/rollout/promote.ts";
import { startApp } from "../../src/flow/app/start-stop.ts";
import { built } from "../support/config.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { aHost, container, stopped, type World } from "../support/world.ts";

const HOST = "192.0.2.1";
const behindTraefik = aHost(HOST).behindTraefik();
const SHORT = "4f2a9c1";
const FULL = `${SHORT}${"0".repeat(33)}`;
const SAME_BEGIN = `${SHORT}${"1".repeat(33)}`;
const live = container("web", 1);
const NEW = { interactive: false, raw: false, reuse: false, env: new Map<string, string>() };
const options = { skipPush: false };

/** A run whose `--version` is a short id of seven digits. */
function typed(world: World): FakeRun {
  const boot = { limit: undefined, waitSeconds: 0, watchSeconds: 0 };
  const config = { ...built({ kind: "native" }), boot };
  const run = fakeRun(config, { requestedVersion: async () => SHORT, givenVersion: SHORT });
  world.fake(run).replies(/^Check the image$/, "");
  run.host("localhost");
  return run;
}

/** The transcripts of all hosts, without the lock, whose text has the version as typed. */
const work = (run: FakeRun) =>
  [...run.hosts.values()].flatMap(({ transcript }) =>
    transcript.filter((line) => !line.startsWith("Acquire the lock")),
  );

type Act = (run: FakeRun) => Promise<unknown>;
const commands: [string, Act][] = [
  ["rollback", (run) => rollback(run, SHORT)],
  ["app boot", bootApp],
  ["app exec", (run) => appExec(run, run.terminal, "ls", NEW)],
  ["app remove-container", (run) => removeAppContainer(run, SHORT)],
  ["deploy", (run) => deploy(run, options)],
  ["deploy --skip-push", (run) => deploy(run, { skipPush: true })],
  ["redeploy", (run) => redeploy(run, options)],
  ["setup", (run) => setup(run, options)],
  ["build push", pushImage],
  ["build pull", pull],
  ["build deliver", deliver],
  ["healthcheck perform", performHealthcheck],
];

test.each(commands)("%s resolves seven digits to the version on the hosts that begins with them", async (_, act) => {
  const run = typed(behindTraefik.runs(live).keeps(stopped("web", FULL)));
  await act(run);
  const done = work(run).join("\n");
  expect(done).toMatch(new RegExp(`(?:dhh/app:|app-web-)${FULL}`));
  expect(done).not.toMatch(new RegExp(`(?:dhh/app:|app-web-)${SHORT}(?!0{33})`));
});

test.each(commands)("%s refuses digits that match several versions, and changes nothing", async (_, act) => {
  const run = typed(behindTraefik.runs(live).keeps(stopped("web", FULL), stopped("web", SAME_BEGIN)));
  await expect(act(run)).rejects.toMatchObject({
    exitCode: 2,
    message: `${SHORT} matches several versions: ${FULL}, ${SAME_BEGIN}`,
    hint: "Use more digits.",
  });
  expect(work(run).join("\n")).not.toMatch(new RegExp(`(?:dhh/app:|app-web-)${SHORT}`));
});

test.each(commands.filter(([name]) => !/^(?:rollback|app remove)/.test(name)))(
  "%s uses digits without a match as typed",
  async (_, act) => {
    const run = typed(behindTraefik.runs(live));
    await act(run);
    expect(work(run).join("\n")).toMatch(new RegExp(`(?:dhh/app:|app-web-)${SHORT}\\b`));
  },
);

test("app start resolves seven digits", async () => {
  const run = typed(behindTraefik.keeps(stopped("web", FULL)));
  await startApp(run);
  expect(run.hosts.get(HOST)!.steps).toContain(`Start app-web-${FULL} (web)`);
});

test("promote resolves seven digits of the canary's version, and refuses those of another version", async () => {
  const next = container("web", FULL);
  const run = typed(behindTraefik.runs(next, live).routesTo(live, { canary: { container: next, percent: 10 } }));
  await promote(run);
  expect(run.hosts.get(HOST)!.steps.join()).toContain("Switch the requests over");
  await expect(promote({ ...run, givenVersion: "4f2a9c2" })).rejects.toThrow(
    `The canary is version ${FULL}, not 4f2a9c2`,
  );
});

test("hooks get the full id", async () => {
  const run = typed(behindTraefik.runs(live).keeps(stopped("web", FULL)));
  const cwd = mkdtempSync(join(tmpdir(), "mrsk-hooks-"));
  mkdirSync(join(cwd, ".mrsk/hooks"), { recursive: true });
  const hooks = ["pre-build", "pre-deploy", "post-deploy"];
  for (const hook of hooks) writeFileSync(join(cwd, ".mrsk/hooks", hook), "#!/bin/sh\n", { mode: 0o755 });
  await deploy({ ...run, cwd, skipHooks: false }, options);
  const transcript = run.hosts.get("localhost")!.transcript.filter((line) => line.includes("MRSK_VERSION="));
  expect(transcript.map((line) => /^(\S+) hook .* MRSK_VERSION=(\w+)/s.exec(line)?.slice(1).join(" "))).toEqual(
    hooks.map((hook) => `${hook} ${FULL}`),
  );
});
