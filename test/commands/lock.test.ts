import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { record, printAuditLog } from "../../src/commands/auditor.ts";
import type { Body } from "../../src/script/command.ts";
import {
  acquireLock,
  holdsLock,
  lockStatus,
  lockText,
  releaseEveryLock,
  releaseOwnLock,
} from "../../src/commands/lock.ts";
import { config, line, runnable } from "../support/config.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";

// These run in a real shell, because its behaviour is what they test.
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(home, { recursive: true }));

function run(body: Body): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("/bin/sh", ["-ec", runnable(body)], { cwd: home, encoding: "utf8" });
}

const staging = config({ destination: "staging" });
const text = lockText({ by: "Ann O'Neil", at: "2023-06-01T12:00:00Z", version: "999", message: 'a "b" $c\nd' });
const owner = { text, id: "a1b2" };
/** Another run of the same person, in the same second. */
const other = { text, id: "c3d4" };
const file = () => join(home, ".mrsk/lock-app-staging/details");

test("the first run gets the lock, with its details in MRSK's format", () => {
  expect(run(acquireLock(staging, owner))).toMatchObject({ status: 0, stdout: "" });
  const written = readFileSync(file(), "utf8");
  expect(written.split("\n").every((part) => part.length <= 60)).toBe(true);
  expect(Buffer.from(written, "base64").toString()).toBe(
    'Locked by: Ann O\'Neil at 2023-06-01T12:00:00Z\nVersion: 999\nMessage: a "b" $c d',
  );
});

test("the second run gets the details of the holder", () => {
  run(acquireLock(staging, owner));
  expect(run(acquireLock(staging, other))).toMatchObject({ status: ExitStatus.LOCK_HELD, stdout: `${text}\n` });
  expect(run(lockStatus(staging)).stdout).toBe(`${text}\n`);
});

test.each([
  ["no details", (folder: string) => rmSync(join(folder, "details"))],
  ["empty details", (folder: string) => writeFileSync(join(folder, "details"), "")],
])("a lock with %s, whose run was interrupted, is held, and its details say so", (_, cut) => {
  run(acquireLock(staging, owner));
  cut(join(home, ".mrsk/lock-app-staging"));
  const words = "The lock has no details: the run that acquired it was interrupted\n";
  expect(run(acquireLock(staging, other))).toMatchObject({ status: ExitStatus.LOCK_HELD, stdout: words });
  expect(run(lockStatus(staging)).stdout).toBe(words);
  expect(run(releaseEveryLock(staging)).stdout).toBe("released\n");
});

test("the id of a lock shows whether a run holds it", () => {
  const holds = (id: string) => run(holdsLock(staging, id)).status === 0;
  expect(holds(owner.id)).toBe(false);
  run(acquireLock(staging, owner));
  expect([holds(owner.id), holds(other.id), run(holdsLock(config(), owner.id)).status === 0]).toEqual([
    true,
    false,
    false,
  ]);
  run(releaseEveryLock(staging));
  expect(holds(owner.id)).toBe(false);
});

test("another service or destination has a separate lock", () => {
  run(acquireLock(staging, owner));
  expect(run(acquireLock(config(), owner)).status).toBe(0);
  expect(run(acquireLock(config({ service: "app-two" }), owner)).status).toBe(0);
  expect(run(acquireLock(staging, owner)).status).toBe(ExitStatus.LOCK_HELD);
});

test("a lock that cannot be created is another failure than a held lock", () => {
  writeFileSync(join(home, ".mrsk"), "in the way");
  const { status, stderr } = run(acquireLock(staging, owner));
  expect(status).not.toBe(0);
  expect(status).not.toBe(ExitStatus.LOCK_HELD);
  expect(stderr).toContain("mkdir");
});

test("MRSK's lock counts, and only `lock release` removes it", () => {
  mkdirSync(join(home, "mrsk_lock"));
  writeFileSync(join(home, "mrsk_lock/details"), Buffer.from("Locked by: Bob").toString("base64"));
  const { status, stdout } = run(acquireLock(staging, owner));
  expect(status).toBe(ExitStatus.LOCK_HELD);
  expect(stdout).toMatch(/^Locked by: Bob\n.*mrsk_lock/);
  expect(existsSync(file())).toBe(false);
  expect(run(releaseOwnLock(staging, owner))).toMatchObject({ status: ExitStatus.LOCK_GONE, stdout: "" });
  expect(run(lockStatus(staging)).stdout).toBe("Locked by: Bob\n");
  expect(run(releaseEveryLock(staging)).stdout).toBe("released\n");
  expect(run(lockStatus(staging))).toMatchObject({ status: 0, stdout: "" });
});

test("a run releases only its own lock, even if another run has the same details", () => {
  run(acquireLock(staging, owner));
  expect(run(releaseOwnLock(staging, other))).toMatchObject({ status: ExitStatus.LOCK_HELD, stdout: `${text}\n` });
  expect(existsSync(file())).toBe(true);
  expect(run(releaseOwnLock(staging, owner))).toMatchObject({ status: 0, stdout: "released\n" });
  expect(existsSync(file())).toBe(false);
  expect(run(releaseOwnLock(staging, owner))).toMatchObject({ status: ExitStatus.LOCK_GONE, stdout: "" });
});

test("a lock of an older mrsk, without the file run, belongs to no run", () => {
  run(acquireLock(staging, owner));
  rmSync(join(home, ".mrsk/lock-app-staging/run"));
  expect(run(releaseOwnLock(staging, owner)).status).toBe(ExitStatus.LOCK_HELD);
  expect(run(releaseEveryLock(staging)).stdout).toBe("released\n");
});

test.each(["\n", "\r\n", "\r", "\u2028", "\u0085", "\v"])(
  "a value with the line end %j adds no line to the details, and none to the audit log",
  (end) => {
    const forged = `fine${end}Locked by: Root`;
    const details = lockText({ by: forged, at: "now", version: forged, message: forged });
    expect(details).toBe(
      "Locked by: fine Locked by: Root at now\nVersion: fine Locked by: Root\nMessage: fine Locked by: Root",
    );
    run(record(config(), { at: "now", performer: forged, role: forged, text: forged }));
    expect(readFileSync(join(home, "mrsk-app-audit.log"), "utf8")).toBe(
      "[now] [fine Locked by: Root] [fine Locked by: Root] fine Locked by: Root\n",
    );
  },
);

test("releasing a missing lock is no error", () => {
  run(acquireLock(staging, owner));
  expect(run(releaseEveryLock(staging))).toMatchObject({ status: 0, stdout: "released\n" });
  expect(run(releaseEveryLock(staging))).toMatchObject({ status: 0, stdout: "" });
});

test("an audit line is written unchanged, whatever it contains", () => {
  // In MRSK's line the brackets were a glob pattern: a matching file name replaced them.
  writeFileSync(join(home, "2"), "");
  const entry = { at: "2023-06-01T12:00:00Z", performer: "ann", role: "web", text: "Ran 'x; $HOME' > a\nb" };
  run(record(staging, entry));
  run(record(config(), { ...entry, role: undefined }));
  expect(run(printAuditLog(staging)).stdout).toBe(
    "[2023-06-01T12:00:00Z] [ann] [staging] [web] Ran 'x; $HOME' > a b\n",
  );
  expect(readFileSync(join(home, "mrsk-app-audit.log"), "utf8")).toBe(
    "[2023-06-01T12:00:00Z] [ann] Ran 'x; $HOME' > a b\n",
  );
  expect(line(printAuditLog(staging))).toBe("tail -n 50 mrsk-app-staging-audit.log 2>/dev/null || true");
});

test("without an audit log nothing is printed", () => {
  expect(run(printAuditLog(staging))).toMatchObject({ status: 0, stdout: "" });
});
