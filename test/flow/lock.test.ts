import { describe, expect, test } from "vitest";
import { freeLock, lockStatus, withLock } from "../../src/flow/lock.ts";
import { CommandFailedError, ExitCode, MrskError, SshError } from "../../src/errors.ts";
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

describe("--lock-wait", () => {
  const ADA = "Locked by: Ada at 2026-01-02T03:00:00Z\nVersion: 7\nMessage: Automatic deploy lock";

  /** A run that waits, on a clock that its pauses advance. Each attempt to acquire the lock is answered by the next text. */
  function waiting(answers: readonly (string | undefined)[], overrides: { timeoutSeconds?: number } = {}) {
    const slept: number[] = [];
    let milliseconds = Date.parse("2026-01-02T03:04:05Z");
    const run = fakeRun(config(), {
      lockWait: { timeoutSeconds: 40, intervalSeconds: 15, ...overrides },
      clock: {
        now: () => new Date(milliseconds),
        sleep: async (seconds) => {
          slept.push(seconds);
          milliseconds += seconds * 1000;
        },
      },
    });
    run.host(PRIMARY);
    let attempts = 0;
    run.hosts.get(PRIMARY)!.when(/Acquire the lock/, () => {
      const output = answers[Math.min(attempts++, answers.length - 1)];
      if (output !== undefined)
        throw new CommandFailedError({ host: PRIMARY, step: "Acquire the lock", status: 75, output });
    });
    const notes = () => run.events.flatMap((event) => (event.kind === "note" ? [event.text] : []));
    return { run, slept, notes };
  }

  test("acquires the lock when the run that had it has released it", async () => {
    const { run, slept, notes } = waiting([ADA, ADA, undefined]);
    await withLock(run, async () => expect(run.held).toMatchObject({ lock: true, taking: false }));
    expect(slept).toEqual([15, 15]);
    expect(notes()).toEqual([
      "Waiting up to 40 s for the deploy lock on 192.0.2.1. Locked by: Ada at 2026-01-02T03:00:00Z",
    ]);
    expect(run.hosts.get(PRIMARY)!.steps.at(-1)).toBe("Release the lock");
  });

  test("names the next holder too", async () => {
    const bob = ADA.replace("Ada", "Bob");
    const { run, notes } = waiting([ADA, bob, undefined]);
    await withLock(run, async () => {});
    expect(notes()).toEqual([
      "Waiting up to 40 s for the deploy lock on 192.0.2.1. Locked by: Ada at 2026-01-02T03:00:00Z",
      "Waiting up to 25 s for the deploy lock on 192.0.2.1. Locked by: Bob at 2026-01-02T03:00:00Z",
    ]);
  });

  test("ends with the error of a held lock when the time is over, and not later", async () => {
    const { run, slept } = waiting([ADA]);
    await expect(withLock(run, async () => {})).rejects.toMatchObject({ name: "LockHeldError", exitCode: 4 });
    expect(slept).toEqual([15, 15, 10]);
    expect(run.held).toEqual({ lock: false, taking: false, connected: true });
  });

  test("a timeout of 0 tries once", async () => {
    const { run, slept } = waiting([ADA], { timeoutSeconds: 0 });
    await expect(withLock(run, async () => {})).rejects.toMatchObject({ name: "LockHeldError" });
    expect(slept).toEqual([]);
  });

  test("does not wait for a lock that a person has acquired, also if that happens while it waits", async () => {
    const sale = ADA.replace("Automatic deploy lock", "sale");
    const { run, slept } = waiting([sale]);
    await expect(withLock(run, async () => {})).rejects.toThrow("Message: sale");
    expect(slept).toEqual([]);
    const later = waiting([ADA, sale]);
    await expect(withLock(later.run, async () => {})).rejects.toThrow("Message: sale");
    expect(later.slept).toEqual([15]);
  });

  test("waits for a lock without details, which a run may be about to describe", async () => {
    const { run } = waiting(["The lock has no details: the run that acquired it was interrupted", undefined]);
    await withLock(run, async () => expect(run.held.lock).toBe(true));
  });

  test("Ctrl-C ends the wait, and no further attempt is made", async () => {
    const { run } = waiting([ADA]);
    const interrupted: typeof run = { ...run, clock: { ...run.clock, sleep: async () => run.abort() } };
    await expect(withLock(interrupted, async () => {})).rejects.toMatchObject({ exitCode: ExitCode.interrupted });
    expect(run.hosts.get(PRIMARY)!.steps).toEqual(["Acquire the lock"]);
    expect(run.held).toEqual({ lock: false, taking: false, connected: true });
  });
});
