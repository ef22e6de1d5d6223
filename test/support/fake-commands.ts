import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { Body } from "../../src/script/command.ts";
import { needsOf } from "../../src/script/call.ts";
import { ShellLibrary } from "../../src/script/library.ts";
import { revealed, runnable } from "./config.ts";

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
export function run(body: Body, path = process.env["PATH"]): Ran {
  return runText(runnable(body), path);
}

/** As `run`, with the values of its secrets. */
export function runSecret(body: Body): Ran {
  return runText(new ShellLibrary().missing(needsOf([body])) + revealed(body), process.env["PATH"]);
}

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runText(text: string, path: string | undefined): Ran {
  return spawnSync("/bin/sh", ["-ec", text], {
    encoding: "utf8",
    env: { PATH: `${current}:${path}` },
    cwd: current,
    timeout: 15_000,
  });
}
