import { describe, expect, test } from "vitest";
import { freeLock, lockStatus, withLock } from "../../src/flow/lock.ts";
import { ExitCode, MrskError, SshError } from "../../src/errors.ts";
import { config } from "../support/config.ts";
import { fakeRun } from "../support/fake-run.ts";

const PRIMARY = "192.0.2.1";

test("the lock is acquired before the work and released after it", async () => {
  const run = fakeRun(config());
  await withLock(run, async () => expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Acquire the lock"]));
  expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Acquire the lock", "Release the lock"]);
});

test("a run acquires the lock once", async () => {
  const run = fakeRun(config());
  await withLock(run, () => withLock(run, async () => {}));
  expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Acquire the lock", "Release the lock"]);
});

test("the lock is released when the work fails, and the work's error is reported", async () => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.replies(/Release/, "disk is gone", 1);
  const failing = withLock(run, () => Promise.reject(new MrskError(ExitCode.remote, "the real reason")));
  await expect(failing).rejects.toThrow("the real reason");
  expect(run.events).toContainEqual(
    expect.objectContaining({ kind: "warning", text: expect.stringContaining("disk is gone") as string }),
  );
});

test("a held lock is an error with its owner and its own exit code", async () => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.replies(/Acquire/, "Locked by: Ada at 2026-01-01T00:00:00Z", 75);
  await expect(withLock(run, async () => {})).rejects.toMatchObject({
    name: "LockHeldError",
    exitCode: ExitCode.locked,
    message: expect.stringContaining("Locked by: Ada") as string,
  });
});

test("lock status and lock release without a lock", async () => {
  const run = fakeRun(config());
  await lockStatus(run);
  await freeLock(run);
  expect(run.printed).toEqual(["There is no deploy lock\n", "There is no deploy lock\n"]);
});

test("the lock is released if the connection was lost while it was acquired", async () => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.when(/Acquire the lock/, () => {
    throw new SshError(PRIMARY, "the connection was lost");
  });
  await expect(withLock(run, async () => {})).rejects.toMatchObject({ exitCode: 5 });
  expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Acquire the lock", "Release the lock"]);
});

test.each([
  [
    75,
    "Locked by: Ada at 2026-01-02T03:04:05Z\n",
    "The deploy lock was released during this run, and another run holds it now. It was not released:\nLocked by: Ada at 2026-01-02T03:04:05Z",
  ],
  [76, "", "The deploy lock was released during this run: another deploy could have run at the same time."],
])("a lock that the run no longer holds (%i) is a warning, and the run succeeds", async (status, output, text) => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.replies(/Release/, output, status);
  await withLock(run, async () => {});
  expect(run.events).toContainEqual({ kind: "warning", host: PRIMARY, text });
  expect(run.held.lock).toBe(false);
});

test.each([
  ["mkdir: cannot create directory '.mrsk': Permission denied"],
  ["mkdir: cannot create directory '.mrsk': Read-only file system"],
  ["mkdir: cannot create directory '.mrsk': File exists"],
  ["mkdir: cannot create directory '.mrsk/lock-app': Not a directory"],
])("a home directory without write access is explained: %s", async (output) => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.replies(/Acquire/, output, 1);
  await expect(withLock(run, async () => {})).rejects.toMatchObject({
    exitCode: ExitCode.remote,
    message: expect.stringContaining(output) as string,
    hint: expect.stringContaining("must be able to write in the directory .mrsk of its home directory") as string,
  });
});

describe("a run that a hook started", () => {
  const variables = new Map([["MRSK_LOCK_ID", "0a1b"]]);

  test("takes no lock of its own while the run of the hook holds it, and does not release it", async () => {
    const run = fakeRun(config(), { variables });
    await withLock(run, () =>
      withLock(run, async () => expect(run.held).toMatchObject({ lock: true, lockId: "0a1b" })),
    );
    expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Check the lock"]);
    expect(run.held.lock).toBe(false);
    expect(run.hosts.get(PRIMARY)!.commands).toEqual([expect.stringMatching(/^holds_lock \S+ 0a1b$/) as string]);
  });

  test("takes the lock if that run no longer holds it", async () => {
    const run = fakeRun(config(), { variables });
    run.host(PRIMARY);
    run.hosts.get(PRIMARY)!.replies(/Check the lock/, "", 1);
    await withLock(run, async () => expect(run.held.lockId).not.toBe("0a1b"));
    expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Check the lock", "Acquire the lock", "Release the lock"]);
  });

  test("does not send an id that no run has", async () => {
    const run = fakeRun(config(), { variables: new Map([["MRSK_LOCK_ID", "../x"]]) });
    await withLock(run, async () => {});
    expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Acquire the lock", "Release the lock"]);
  });
});
