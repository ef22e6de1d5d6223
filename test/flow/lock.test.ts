import { expect, test, vi } from "vitest";
import { freeLock, lockStatus, withLock } from "../../src/flow/lock.ts";
import { ExitCode, MrskError, SshError } from "../../src/errors.ts";
import { config } from "../commands/support.ts";
import { fakeRun } from "../support/fake-run.ts";

const PRIMARY = "192.0.2.1";

test("the lock is taken before the work and freed after it", async () => {
  const run = fakeRun(config());
  await withLock(run, async () => expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Take the lock"]));
  expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Take the lock", "Release the lock"]);
});

test("a run that holds the lock takes it once", async () => {
  const run = fakeRun(config());
  await withLock(run, () => withLock(run, async () => {}));
  expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Take the lock", "Release the lock"]);
});

test("7.1 row 15: the lock is freed when the work fails, and the work's error is the one that is told", async () => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.replies(/Release/, "disk is gone", 1);
  const failing = withLock(run, () => Promise.reject(new MrskError(ExitCode.remote, "the real reason")));
  await expect(failing).rejects.toThrow("the real reason");
  expect(run.events).toContainEqual(
    expect.objectContaining({ kind: "warning", text: expect.stringContaining("disk is gone") as string }),
  );
});

test("a held lock names its owner and ends with its own exit code", async () => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.replies(/Take/, "Locked by: Ada at 2026-01-01T00:00:00Z", 75);
  await expect(withLock(run, async () => {})).rejects.toMatchObject({
    name: "LockHeldError",
    exitCode: ExitCode.locked,
    message: expect.stringContaining("Locked by: Ada") as string,
  });
});

test("lock status and release say so when there is none", async () => {
  const run = fakeRun(config());
  await lockStatus(run);
  await freeLock(run);
  expect(run.printed).toEqual(["There is no deploy lock\n", "There is no deploy lock\n"]);
});

test("a lock whose taking was cut off is taken back", async () => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.when(/Take the lock/, () => {
    throw new SshError(PRIMARY, "the connection was lost");
  });
  await expect(withLock(run, async () => {})).rejects.toMatchObject({ exitCode: 5 });
  expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Take the lock", "Release the lock"]);
});

test("a lock that another run holds by now is left to it, with a warning that names it", async () => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.replies(/Release/, "Locked by: Ada at 2026-01-02T03:04:05Z\n", 75);
  await withLock(run, async () => {});
  expect(run.events).toContainEqual({
    kind: "warning",
    host: PRIMARY,
    text: "The deploy lock was released during this run, and another run holds it now. It is left alone:\nLocked by: Ada at 2026-01-02T03:04:05Z",
  });
  expect(run.held.lock).toBe(false);
});

test("a lock that was released during the run is a warning", async () => {
  const run = fakeRun(config());
  run.host(PRIMARY);
  run.hosts.get(PRIMARY)!.replies(/Release/, "", 76);
  await withLock(run, async () => {});
  expect(run.events).toContainEqual({
    kind: "warning",
    host: PRIMARY,
    text: "The deploy lock was released during this run: another deploy could have run at the same time.",
  });
});

test("a host that hangs while it takes the lock is given up after a minute", async () => {
  const deadline = vi.spyOn(AbortSignal, "timeout").mockReturnValue(AbortSignal.abort());
  const taking = withLock(fakeRun(config()), async () => {});
  await expect(taking).rejects.toMatchObject({
    exitCode: 5,
    message: `${PRIMARY}: "Take the lock" did not end within 60 s`,
  });
  expect(deadline).toHaveBeenCalledWith(60_000);
  deadline.mockRestore();
});
