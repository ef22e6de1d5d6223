import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { deploy } from "../../src/flow/rollout/deploy.ts";
import { warnAboutHooks } from "../../src/flow/hook-check.ts";
import { bootstrap } from "../../src/flow/server.ts";
import { config } from "../support/config.ts";
import { fakeRun } from "../support/fake-run.ts";

function folder(): string {
  return mkdtempSync(join(tmpdir(), "mrsk-hooks-"));
}

function write(cwd: string, path: string, text: string, mode = 0o755): void {
  mkdirSync(dirname(join(cwd, path)), { recursive: true });
  writeFileSync(join(cwd, path), text);
  chmodSync(join(cwd, path), mode);
}

/** Texts of the warnings. */
function warnings(cwd: string, hooksPath = ".mrsk/hooks"): string[] {
  const run = fakeRun(config({ hooksPath }), { cwd, skipHooks: false });
  warnAboutHooks(run);
  return run.events.flatMap((event) => (event.kind === "warning" ? event.text : []));
}

const SCRIPT = "#!/bin/sh\nexit 0\n";
const LIST =
  "pre-connect, pre-build, pre-deploy, post-deploy, docker-setup, pre-traefik-reboot, post-traefik-reboot, pre-app-boot, post-app-boot, pre-proxy-reboot, post-proxy-reboot";

test.each([
  [
    "pre-deploy",
    "#!/bin/sh\r\nexit 0\r\n",
    0o755,
    "has CRLF line endings, and cannot run: save it with LF line endings",
  ],
  ["pre-deploy", "#!/usr/bin/env ruby\r\n", 0o755, "has CRLF line endings"],
  ["pre-build", "exit 0\r\n", 0o755, "has CRLF line endings"],
  ["pre-build", `\uFEFF${SCRIPT}`, 0o755, "begins with a byte order mark"],
  ["pre-build", "#! /nowhere/bash -e\n", 0o755, "its interpreter /nowhere/bash does not exist on this machine"],
  ["post-deploy", SCRIPT, 0o644, "is not executable, so its run will fail: chmod +x it"],
  ["pre-deploy.sh", SCRIPT, 0o755, "does not run: there is no hook of that name. Did you mean pre-deploy?"],
  ["pre-deploy.rb", "puts 1\n", 0o644, "Did you mean pre-deploy?"],
  ["pre_deploy", SCRIPT, 0o755, "Did you mean pre-deploy?"],
  ["Pre-Deploy", SCRIPT, 0o644, "Did you mean pre-deploy?"],
  ["predeploy", SCRIPT, 0o755, "Did you mean pre-deploy?"],
  ["post-deplyo", SCRIPT, 0o644, "Did you mean post-deploy?"],
  ["notify", SCRIPT, 0o755, `does not run: there is no hook of that name. The hooks are ${LIST}.`],
])("%s with %j and mode %o is a warning", (name, text, mode, problem) => {
  const cwd = folder();
  write(cwd, `.mrsk/hooks/${name}`, text, mode);
  const [warning = "", ...more] = warnings(cwd);
  expect(warning).toContain(`.mrsk/hooks/${name} `);
  expect(warning).toContain(problem);
  expect(more).toEqual([]);
});

test("a broken link, a folder in place of a hook, a file in place of the hooks folder", () => {
  const cwd = folder();
  mkdirSync(join(cwd, ".mrsk/hooks/pre-build"), { recursive: true });
  symlinkSync("nowhere", join(cwd, ".mrsk/hooks/pre-deploy"));
  write(cwd, "file", "");
  expect(warnings(cwd)).toEqual([
    ".mrsk/hooks/pre-build is a folder: it cannot run",
    ".mrsk/hooks/pre-deploy does not run: it is a link to a file that does not exist",
  ]);
  expect(warnings(cwd, "file")).toEqual(["file is not a folder: no hook runs"]);
});

test("a missing folder of hooks_path is a warning", () => {
  const cwd = folder();
  expect(warnings(cwd, "deploy/hooks")).toEqual(["deploy/hooks (hooks_path) does not exist: no hook runs"]);
  expect(warnings(cwd)).toEqual([]);
});

test("the hooks in .kamal/hooks are checked too, except hidden ones", () => {
  const cwd = folder();
  write(cwd, ".kamal/hooks/pre-deploy", SCRIPT, 0o644);
  write(cwd, ".kamal/hooks/pre-proxy-reboot", SCRIPT);
  const warning = ".kamal/hooks/pre-deploy is not executable, so its run will fail: chmod +x it";
  expect(warnings(cwd)).toEqual([warning]);
  expect(warnings(cwd, ".kamal/hooks")).toEqual([warning]);
  write(cwd, ".mrsk/hooks/pre-deploy", SCRIPT);
  expect(warnings(cwd)).toEqual([]);
});

test("hooks that run, samples, disabled hooks and their helper files are no problem", () => {
  const cwd = folder();
  write(cwd, ".mrsk/hooks/pre-deploy", "#!/usr/bin/env sh\nexit 0\n");
  write(cwd, ".mrsk/hooks/pre-build", "exit 0\n");
  for (const name of ["pre-deploy.sample", "post-deploy.disabled", "post-deploy~", ".gitkeep"]) {
    write(cwd, `.mrsk/hooks/${name}`, SCRIPT);
  }
  write(cwd, ".mrsk/hooks/README.md", "Hooks\n", 0o644);
  write(cwd, ".mrsk/hooks/lib/common.sh", SCRIPT);
  expect(warnings(cwd)).toEqual([]);
});

test.each([
  ["deploy", (run) => deploy(run, { skipPush: true })],
  ["server bootstrap", bootstrap],
] as const satisfies readonly (readonly [string, (run: ReturnType<typeof fakeRun>) => Promise<unknown>])[])(
  "%s warns first, once, and not with -H",
  async (_, act) => {
    const cwd = folder();
    write(cwd, ".mrsk/hooks/pre-deploy.sh", SCRIPT);
    const warning = {
      kind: "warning",
      text: ".mrsk/hooks/pre-deploy.sh does not run: there is no hook of that name. Did you mean pre-deploy?",
    };
    const run = fakeRun(config(), { cwd, skipHooks: false });
    await act(run).catch(() => {});
    expect(run.events[0]).toEqual(warning);
    expect(run.events.filter((event) => event.kind === "warning")).toHaveLength(1);
    const skipping = fakeRun(config(), { cwd, skipHooks: true });
    await act(skipping).catch(() => {});
    expect(skipping.events).not.toContainEqual(warning);
  },
);
