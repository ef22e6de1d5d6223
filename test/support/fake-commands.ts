import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Body } from "../../src/script/command.ts";
import { runnable } from "./config.ts";

let current = "";
beforeEach(() => {
  current = mkdtempSync(join(tmpdir(), "fake-commands-"));
});
afterEach(() => rmSync(current, { recursive: true }));

/** The folder of the current test: its working directory, and the first folder of its PATH. */
export function folder(): string {
  return current;
}

/** Replaces a command of this machine for the current test. */
export function fake(name: string, body: string): void {
  writeFileSync(join(current, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(current, name), 0o755);
}

/** Replaces docker by a script that inspects every container as in this state, and prints `last words` as its log. */
export function fakeContainer(state: string): void {
  fake("docker", `case "$*" in *logs*) echo "last words" ;; *) echo "${state}" ;; esac`);
}

/** Runs a command as a script runs its step. */
export function run(body: Body, path = process.env["PATH"]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("/bin/sh", ["-ec", runnable(body)], {
    encoding: "utf8",
    env: { PATH: `${current}:${path}` },
    cwd: current,
    timeout: 15_000,
  });
}
