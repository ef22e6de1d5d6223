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

/** The test's own folder: the working directory, and first of the path. */
export function folder(): string {
  return current;
}

/** Puts a command of that name in front of the machine's own. */
export function fake(name: string, body: string): void {
  writeFileSync(join(current, name), `#!/bin/sh\n${body}\n`);
  chmodSync(join(current, name), 0o755);
}

/** A docker that knows one container in this state. */
export function fakeContainer(state: string): void {
  fake("docker", `case "$*" in *logs*) echo "last words" ;; *) echo "${state}" ;; esac`);
}

/** Runs shell as a step of a script would run. */
export function run(body: Body, path = process.env["PATH"]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("/bin/sh", ["-ec", runnable(body)], {
    encoding: "utf8",
    env: { PATH: `${current}:${path}` },
    cwd: current,
    timeout: 15_000,
  });
}
