import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootApp } from "../../src/flow/rollout/boot.ts";
import { deploy } from "../../src/flow/rollout/deploy.ts";
import { rollback } from "../../src/flow/rollout/rollback.ts";
import { hasHook, type HookName, runHook } from "../../src/flow/hook.ts";
import type { Run } from "../../src/flow/run.ts";
import { rebootTraefik } from "../../src/flow/traefik/reboot.ts";
import type { HooksOutput } from "../../src/config/config.ts";
import { ConfigError, HookFailedError } from "../../src/errors.ts";
import { select } from "../../src/plan/select.ts";
import { accessory, config, role } from "../support/config.ts";
import { type Machine, machine } from "../support/fake-docker.ts";
import { fakeRun, type FakeRun } from "../support/fake-run.ts";
import { aHost, container } from "../support/world.ts";

const settings = config({
  roles: [role({ hosts: ["192.0.2.1", "192.0.2.2"] })],
  boot: { limit: undefined, waitSeconds: 0, watchSeconds: 0 },
});

function write(here: Machine, hook: string, body: string, mode = 0o755, folder = ".mrsk/hooks"): void {
  mkdirSync(join(here.home, folder), { recursive: true });
  writeFileSync(join(here.home, folder, hook), `#!/bin/sh\n${body}\n`);
  chmodSync(join(here.home, folder, hook), mode);
}

function writeKamal(here: Machine, hook: string, body: string): void {
  write(here, hook, body, 0o755, ".kamal/hooks");
}

const outputOf = (here: Machine) => readFileSync(join(here.home, "output"), "utf8").trim().split("\n");

/** A run with a real local machine and fake hosts. */
function runIn(here: Machine, overrides: Partial<Run> = {}): FakeRun {
  return fakeRun(overrides.config ?? settings, { local: here.host, cwd: here.home, skipHooks: false, ...overrides });
}

const VARIABLES = "env | grep '^MRSK_' | grep -v '^MRSK_NODE=' | sort";

test("a hook gets MRSK's variables, and those that MRSK only documents", async () => {
  const here = machine("", { DATABASE_URL: "from .env" });
  write(here, "pre-build", `{ ${VARIABLES}; pwd; echo "$DATABASE_URL"; } >output`);
  const staging = { ...settings, destination: "staging" };
  const filters = { hosts: ["192.0.2.2"], roles: ["web"], primary: false };
  const run = runIn(here, {
    config: staging,
    filters,
    selection: select(staging, filters),
    command: ["build", "push"],
  });
  await runHook(run, "pre-build", "0123456789abcdef");
  expect(readFileSync(join(here.home, "output"), "utf8").split("\n")).toEqual([
    "MRSK_COMMAND=build",
    "MRSK_DESTINATION=staging",
    "MRSK_HOSTS=192.0.2.2",
    "MRSK_LOCK=false",
    "MRSK_PERFORMER=somebody",
    "MRSK_RECORDED_AT=2026-01-02T03:04:05Z",
    "MRSK_ROLE=web",
    "MRSK_ROLES=web",
    "MRSK_SERVICE=app",
    "MRSK_SERVICE_VERSION=app@0123456",
    "MRSK_SUBCOMMAND=push",
    "MRSK_VERSION=0123456789abcdef",
    here.home,
    "from .env",
    "",
  ]);
});

test("each variable of MRSK is also set under Kamal's name, variables of a single hook included", async () => {
  const here = machine();
  write(here, "post-deploy", "env | grep -E '^(MRSK|KAMAL)_' | grep -v '^MRSK_NODE=' | sort >output");
  await runHook(runIn(here, { command: ["app", "boot"] }), "post-deploy", "1", {
    MRSK_RUNTIME: "12",
    MRSK_HOSTS: "only.one",
  });
  const output = readFileSync(join(here.home, "output"), "utf8").trim().split("\n");
  const kamals = output.filter((line) => line.startsWith("KAMAL_"));
  expect(kamals).toEqual([
    "KAMAL_COMMAND=app",
    "KAMAL_HOSTS=only.one",
    "KAMAL_LOCK=false",
    "KAMAL_PERFORMER=somebody",
    "KAMAL_RECORDED_AT=2026-01-02T03:04:05Z",
    "KAMAL_RUNTIME=12",
    "KAMAL_SERVICE=app",
    "KAMAL_SERVICE_VERSION=app@1",
    "KAMAL_SUBCOMMAND=boot",
    "KAMAL_VERSION=1",
  ]);
  expect(output.filter((line) => line.startsWith("MRSK_"))).toEqual(
    kamals.map((line) => line.replace("KAMAL", "MRSK")),
  );
});

test("unset values have no variable, and an uncommitted version is not abbreviated", async () => {
  const here = machine();
  write(here, "post-deploy", `${VARIABLES} >output`);
  const run = runIn(here);
  await runHook(run, "post-deploy", "0123456789abcdef_uncommitted_0000000000000000", { MRSK_RUNTIME: "12" });
  const output = readFileSync(join(here.home, "output"), "utf8");
  expect(output).not.toMatch(/MRSK_(?:DESTINATION|SUBCOMMAND|ROLES?|LOCK_ID)=/);
  expect(output).toContain("MRSK_COMMAND=deploy\nMRSK_HOSTS=192.0.2.1,192.0.2.2\nMRSK_LOCK=false\n");
  expect(output).toContain(
    "MRSK_RUNTIME=12\nMRSK_SERVICE=app\nMRSK_SERVICE_VERSION=app@0123456789abcdef_uncommitted_0000000000000000\n",
  );
});

test("hooks_path names another folder, -H skips every hook, and a missing hook is no error", async () => {
  const here = machine();
  mkdirSync(join(here.home, "deploy/hooks"), { recursive: true });
  writeFileSync(join(here.home, "deploy/hooks/pre-deploy"), "#!/bin/sh\necho ran >>output\n", { mode: 0o755 });
  const run = runIn(here, { config: { ...settings, hooksPath: "deploy/hooks" } });
  await runHook({ ...run, skipHooks: true }, "pre-deploy", "1");
  await runHook(run, "pre-connect", "1");
  expect(existsSync(join(here.home, "output"))).toBe(false);
  await runHook(run, "pre-deploy", "1");
  expect(readFileSync(join(here.home, "output"), "utf8")).toBe("ran\n");
});

const OUTPUTS: [string, HooksOutput, string[]][] = [
  ["quiet for all", { all: "quiet", byHook: new Map() }, []],
  ["quiet for this hook", { all: undefined, byHook: new Map([["pre-deploy", "quiet"]]) }, []],
  ["quiet for another hook", { all: undefined, byHook: new Map([["pre-build", "quiet"]]) }, ["hello\n"]],
  ["verbose", { all: "verbose", byHook: new Map() }, ["hello\n"]],
];

test.each(OUTPUTS)(
  "hooks_output: quiet hides the output of a hook, but not of a failed one: %s",
  async (_, hooksOutput, seen) => {
    const here = machine();
    const run = runIn(here, { config: { ...settings, hooksOutput } });
    const shown = () => run.events.flatMap((event) => (event.kind === "progress" ? [event.text] : []));
    write(here, "pre-deploy", "echo hello");
    await runHook(run, "pre-deploy", "1");
    expect(shown()).toEqual(seen);
    write(here, "pre-deploy", "echo hello; exit 1");
    await expect(runHook(run, "pre-deploy", "1")).rejects.toMatchObject({ message: "Hook `pre-deploy` failed\nhello" });
  },
);

test("its output is printed in whole lines, and is in the error if it fails", async () => {
  const here = machine();
  write(here, "pre-deploy", "printf 'one '; sleep 0.1; echo line; printf 'CI is red' >&2; exit 3");
  const run = runIn(here);
  await expect(runHook(run, "pre-deploy", "1")).rejects.toMatchObject({
    exitCode: 7,
    message: "Hook `pre-deploy` failed\none line\nCI is red",
    hint: "Run with -H to skip hooks.",
  });
  const shown = run.events.flatMap((event) => (event.kind === "progress" ? [event.text] : []));
  expect(shown.toSorted()).toEqual(["CI is red\n", "one line\n"]);
});

test("the error of a hook that is not executable has the command that fixes it", async () => {
  const here = machine();
  write(here, "pre-deploy", "exit 0", 0o644);
  await expect(runHook(runIn(here), "pre-deploy", "1")).rejects.toMatchObject({
    exitCode: 7,
    message: expect.stringContaining(".mrsk/hooks/pre-deploy is not executable") as string,
    hint: "chmod +x .mrsk/hooks/pre-deploy",
  });
});

test("Ctrl-C ends a hook that hangs, and its child processes", async () => {
  const here = machine();
  write(here, "pre-deploy", "sleep 61.25 & echo $! >child; sleep 62.25");
  const controller = new AbortController();
  const running = runHook(runIn(here, { signal: controller.signal }), "pre-deploy", "1");
  while (!existsSync(join(here.home, "child"))) await new Promise((resolve) => setTimeout(resolve, 20));
  controller.abort();
  await expect(running).rejects.toMatchObject({ name: "InterruptedError", exitCode: 130 });
  const child = readFileSync(join(here.home, "child"), "utf8").trim();
  const runs = () => /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", child], { encoding: "utf8" }).stdout.trim());
  while (runs()) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(runs()).toBe(false);
});

/** The hooks that ran and the steps of the first host, in order. */
async function story(act: (run: Run) => Promise<unknown>, failing?: HookName): Promise<string[]> {
  const here = machine();
  const hooks: HookName[] = [
    "pre-connect",
    "pre-build",
    "pre-deploy",
    "post-deploy",
    "pre-traefik-reboot",
    "post-traefik-reboot",
    "pre-app-boot",
    "post-app-boot",
  ];
  for (const hook of hooks) write(here, hook, hook === failing ? "exit 1" : "exit 0");
  const run = runIn(here);
  const seen: string[] = [];
  const report: Run["report"] = (event) => {
    if (event.kind === "title" && event.text.startsWith("Running the ")) seen.push(event.text.split(" ")[2]!);
  };
  for (const name of ["192.0.2.1", "192.0.2.2"]) {
    aHost(name).behindTraefik().runs(container("web", 0)).fake(run);
  }
  const first = run.hosts.get("192.0.2.1")!;
  const push = first.steps.push.bind(first.steps);
  const SHOWN =
    /^(?:Acquire the lock|Release the lock|Pull the image|Switch the requests over|Switch the requests back|Replace the container)/;
  first.steps.push = (...names) => {
    seen.push(...names.filter((name) => SHOWN.test(name)).map((name) => name.replace(/ \(web\)$/, "")));
    return push(...names);
  };
  await act({ ...run, report }).catch((error: unknown) => {
    if (!(error instanceof HookFailedError)) throw error;
    seen.push(error.message);
  });
  return seen;
}

test("a deploy: pre-connect before the lock, pre-deploy after the pull, post-deploy after the release of the lock", async () => {
  expect(await story((run) => deploy(run, { skipPush: true }))).toEqual([
    "pre-connect",
    "Acquire the lock",
    "Pull the image",
    "pre-deploy",
    "pre-app-boot",
    "Switch the requests over",
    "post-app-boot",
    "Release the lock",
    "post-deploy",
  ]);
});

test("a rollback: pre-deploy only if the version exists, no build and no pull", async () => {
  expect(await story((run) => rollback({ ...run, requestedVersion: async () => "0" }, "0"))).toEqual([
    "pre-connect",
    "Acquire the lock",
    "pre-deploy",
    "pre-app-boot",
    "Switch the requests over",
    "post-app-boot",
    "Release the lock",
    "post-deploy",
  ]);
});

test("a failing pre-connect connects to no host, a failing pre-deploy changes none and releases the lock", async () => {
  expect(await story((run) => deploy(run, { skipPush: true }), "pre-connect")).toEqual([
    "pre-connect",
    "Hook `pre-connect` failed",
  ]);
  expect(await story((run) => deploy(run, { skipPush: true }), "pre-deploy")).toEqual([
    "pre-connect",
    "Acquire the lock",
    "Pull the image",
    "pre-deploy",
    "Release the lock",
    "Hook `pre-deploy` failed",
  ]);
});

test("app boot has its own hooks, and reverts if the last one fails", async () => {
  expect(await story(bootApp, "post-app-boot")).toEqual([
    "pre-connect",
    "Acquire the lock",
    "pre-app-boot",
    "Switch the requests over",
    "post-app-boot",
    "Switch the requests back",
    "Release the lock",
    "Hook `post-app-boot` failed",
  ]);
});

test("a reboot of Traefik runs hooks around each group, with the group's hosts", async () => {
  const here = machine();
  for (const hook of ["pre-traefik-reboot", "post-traefik-reboot"])
    write(here, hook, `echo ${hook} $MRSK_HOSTS >>output`);
  const run = runIn(here);
  for (const host of ["192.0.2.1", "192.0.2.2"]) aHost(host).behindTraefik().fake(run);
  await rebootTraefik(run, { rolling: true, confirmed: true });
  expect(readFileSync(join(here.home, "output"), "utf8").trim().split("\n")).toEqual([
    "pre-traefik-reboot 192.0.2.1",
    "post-traefik-reboot 192.0.2.1",
    "pre-traefik-reboot 192.0.2.2",
    "post-traefik-reboot 192.0.2.2",
  ]);
});

test("a hook in .kamal/hooks runs if .mrsk/hooks has none of that name", async () => {
  const here = machine();
  writeKamal(here, "pre-build", "echo kamal >>output");
  writeKamal(here, "pre-deploy", "echo hidden >>output");
  write(here, "pre-deploy", "echo mrsk >>output");
  const run = runIn(here);
  await runHook(run, "pre-build", "1");
  await runHook(run, "pre-deploy", "1");
  expect(outputOf(here)).toEqual(["kamal", "mrsk"]);
  const notes = run.events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
  expect(notes).toEqual([".mrsk/hooks/pre-deploy runs, and hides .kamal/hooks/pre-deploy"]);
});

test("with hooks_path, no hook in .kamal/hooks or .mrsk/hooks runs", async () => {
  const here = machine();
  writeKamal(here, "pre-build", "exit 1");
  write(here, "pre-build", "exit 1");
  const run = runIn(here, { config: { ...settings, hooksPath: "other" } });
  expect(hasHook(run, "pre-build")).toBe(false);
  await runHook(run, "pre-build", "1");
});

test("a hook of Kamal gets Kamal's meaning: git's e-mail, and the hosts of accessories too", async () => {
  const here = machine();
  spawnSync("git", ["init", "-q", here.home]);
  spawnSync("git", ["-C", here.home, "config", "user.email", "ada@example.com"]);
  const body = 'echo "$KAMAL_PERFORMER $KAMAL_HOSTS $MRSK_PERFORMER $MRSK_HOSTS" >>output';
  for (const [hook, details] of [
    ["pre-build", {}],
    ["pre-app-boot", { MRSK_HOSTS: "192.0.2.2" }],
  ] as const) {
    writeKamal(here, hook, body);
    const withDatabase = { ...settings, accessories: [accessory({ hosts: ["192.0.2.9", "192.0.2.1"] })] };
    await runHook(runIn(here, { config: withDatabase }), hook, "1", details);
  }
  write(here, "pre-build", body);
  await runHook(runIn(here), "pre-build", "1");
  expect(outputOf(here)).toEqual([
    "ada@example.com 192.0.2.1,192.0.2.2,192.0.2.9 somebody 192.0.2.1,192.0.2.2",
    "ada@example.com 192.0.2.2 somebody 192.0.2.2",
    "somebody 192.0.2.1,192.0.2.2 somebody 192.0.2.1,192.0.2.2",
  ]);
});

test("a hook that runs kamal runs this program, with the id of the lock", async () => {
  const here = machine();
  writeKamal(
    here,
    "pre-deploy",
    'echo "$(command -v kamal) $KAMAL_LOCK $MRSK_LOCK_ID" >output; echo "$MRSK_NODE" >>output',
  );
  await runHook(runIn(here, { held: { lock: true, lockId: "0a1b" } }), "pre-deploy", "1");
  const [line, node] = outputOf(here);
  expect(line).toMatch(/\/bin\/kamal\/kamal true 0a1b$/);
  expect(node).toBe(process.execPath);
});

test("the hooks around a connection and a deploy get the secrets of a Kamal 2 project, the others do not", async () => {
  const failure = new ConfigError([".kamal/secrets:2:1: B: $(false …) failed (exit status 1)"]);
  const kamalSecrets = {
    evaluateAll: async () => ({ values: new Map([["A", "it's a secret"]]), failures: [failure] }),
  };
  const here = machine();
  const run = runIn(here, { kamalSecrets });
  for (const hook of ["pre-connect", "pre-build", "pre-deploy", "post-deploy"] as const) {
    writeKamal(here, hook, `echo "${hook} $A" | tee -a output`);
    await runHook(run, hook, "1");
  }
  expect(outputOf(here)).toEqual([
    "pre-connect it's a secret",
    "pre-build ",
    "pre-deploy it's a secret",
    "post-deploy it's a secret",
  ]);
  const shown = run.events.flatMap((event) => (event.kind === "progress" ? [event.text] : []));
  expect(shown).toContain("pre-deploy [REDACTED]\n");
  expect(run.events.filter(({ kind }) => kind === "warning")).toEqual([
    { kind: "warning", text: `Not in the environment of hooks: ${failure.message}` },
  ]);
});

test("Kamal's names of the hooks around a reboot run too", async () => {
  const here = machine();
  for (const hook of ["pre-proxy-reboot", "post-proxy-reboot"])
    writeKamal(here, hook, `echo ${hook} $KAMAL_HOSTS >>output`);
  write(here, "pre-traefik-reboot", "echo pre-traefik-reboot >>output");
  const run = runIn(here);
  for (const host of ["192.0.2.1", "192.0.2.2"]) aHost(host).behindTraefik().fake(run);
  await rebootTraefik(run, { rolling: false, confirmed: true });
  expect(outputOf(here)).toEqual([
    "pre-traefik-reboot",
    "pre-proxy-reboot 192.0.2.1,192.0.2.2",
    "post-proxy-reboot 192.0.2.1,192.0.2.2",
  ]);
});
