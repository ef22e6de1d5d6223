import {
  acquireLock,
  holdsLock,
  type LockOwner,
  lockStatus as statusCommand,
  lockText,
  releaseEveryLock,
  releaseOwnLock,
} from "../commands/lock.ts";
import type { Body } from "../script/command.ts";
import { attempt, script, step } from "../script/script.ts";
import { CommandFailedError, LockHeldError, SshError } from "../errors.ts";
import type { ScriptResult } from "../script/result.ts";
import { runDirectoryError } from "../script/file-system.ts";
import { LOCK_ID, runHookOfRequest, timestamp } from "./hook.ts";
import { warnAboutHooks } from "./hook-check.ts";
import { type Run, stopIfInterrupted } from "./run.ts";
import { ExitStatus } from "../shell/exit-status.ts";

/** Time limit for a lock command. It creates or removes a small folder: if it takes longer, the server hangs. */
const LOCK_SECONDS = 60;
/** Id of the step. */
const LOCK_STEP = "lock";

/**
 * Runs the `pre-connect` hook, then holds the deploy lock while `work` runs, and releases it in any case. A run that
 * already holds the lock only runs `work`, and so does a run that a hook started while its own run holds it. The lock is
 * on the configured primary host, regardless of the filters.
 * @throws LockHeldError naming the owner
 */
export async function withLock<T>(run: Run, work: () => Promise<T>): Promise<T> {
  if (run.held.lock) return work();
  await runPreConnect(run);
  const inherited = await lockOfHook(run);
  if (inherited !== undefined) return withLockOfHook(run, inherited, work);
  run.report({ kind: "title", text: "Acquiring the deploy lock..." });
  const owner = await acquireOrWait(run);
  let failure: unknown;
  try {
    return await work();
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await releaseAfter(run, owner, failure);
  }
}

const AUTOMATIC = "Automatic deploy lock";

/** Acquires the lock. With `--lock-wait`, waits while another run has it. @throws LockHeldError */
async function acquireOrWait(run: Run): Promise<LockOwner> {
  const deadline = run.clock.now().getTime() + (run.lockWait?.timeoutSeconds ?? 0) * 1000;
  let reported: string | undefined;
  for (;;) {
    try {
      return await acquireOnce(run);
    } catch (error) {
      if (!(error instanceof LockHeldError) || !run.lockWait || !isOfRun(error.details)) throw error;
      const remaining = Math.floor((deadline - run.clock.now().getTime()) / 1000);
      if (remaining <= 0) throw error;
      if (reported !== error.details) run.report({ kind: "note", text: waiting(run, error, remaining) });
      reported = error.details;
      await run.clock.sleep(Math.min(run.lockWait.intervalSeconds, remaining), run.signal);
      stopIfInterrupted(run);
    }
  }
}

async function acquireOnce(run: Run): Promise<LockOwner> {
  run.held.taking = true;
  try {
    const owner = await acquire(run, AUTOMATIC);
    run.held.lock = true;
    run.held.lockId = owner.id;
    return owner;
  } finally {
    run.held.taking = false;
  }
}

/** Whether a run holds the lock. A lock without details may be one that a run is about to describe. */
function isOfRun(details: string): boolean {
  const [, message] = /^Message: (.*)$/m.exec(details) ?? [];
  return message === undefined || message === AUTOMATIC;
}

function waiting({ config }: Run, { details }: LockHeldError, seconds: number): string {
  const [holder] = details.split("\n");
  return `Waiting up to ${seconds} s for the deploy lock on ${config.primaryHost}. ${holder}`;
}

/** The id of the lock of the run whose hook started this run, if that run still holds it on the server. */
async function lockOfHook(run: Run): Promise<string | undefined> {
  const id = await run.variables.get(LOCK_ID);
  if (id === undefined || !/^[0-9a-f]+$/.test(id)) return undefined;
  const work = script("Lock", [attempt("Check the lock", holdsLock(run.config, id), "lock")]);
  const result = await primary(run).run(work, { deadlineSeconds: LOCK_SECONDS });
  return result.status("lock") === 0 ? id : undefined;
}

async function withLockOfHook<T>(run: Run, id: string, work: () => Promise<T>): Promise<T> {
  run.report({ kind: "note", text: "The run that started this hook holds the deploy lock" });
  run.held.lock = true;
  run.held.lockId = id;
  try {
    return await work();
  } finally {
    endHold(run);
  }
}

function endHold(run: Run): void {
  run.held.lock = false;
  delete run.held.lockId;
}

/** Runs the `pre-connect` hook before the first connection, once in a run. */
export async function runPreConnect(run: Run): Promise<void> {
  if (run.held.connected) return;
  warnAboutHooks(run);
  await runHookOfRequest(run, "pre-connect");
  run.held.connected = true;
  stopIfInterrupted(run);
}

/** A failed release must not hide the error of the work. */
async function releaseAfter(run: Run, owner: LockOwner, failure: unknown): Promise<void> {
  run.report({ kind: "title", text: "Releasing the deploy lock..." });
  try {
    await onLock(run, "Release the lock", releaseOwnLock(run.config, owner)).catch((error: unknown) => {
      warn(run, lostLockWarning(error));
    });
    endHold(run);
  } catch (error) {
    const text = `The deploy lock could not be released: ${error instanceof Error ? error.message : String(error)}. Run \`mrsk lock release\`.`;
    warn(run, text);
    if (failure === undefined) throw error;
  }
}

function warn(run: Run, text: string): void {
  run.report({ kind: "warning", host: run.config.primaryHost, text });
}

/** The warning if the lock was released during the run. @throws the error, if it has another cause */
function lostLockWarning(error: unknown): string {
  if (error instanceof CommandFailedError && error.status === ExitStatus.LOCK_GONE)
    return "The deploy lock was released during this run: another deploy could have run at the same time.";
  if (error instanceof CommandFailedError && error.status === ExitStatus.LOCK_HELD)
    return `The deploy lock was released during this run, and another run holds it now. It was not released:\n${error.output.trim()}`;
  throw error;
}

async function acquire(run: Run, message: string): Promise<LockOwner> {
  const text = lockText({
    by: (await run.git()).userName || (await run.performer()),
    at: timestamp(run.clock.now()),
    version: await run.requestedVersion(),
    message: run.mask(message),
  });
  const owner = { text, id: run.newId(32) };
  try {
    await onLock(run, "Acquire the lock", acquireLock(run.config, owner));
    return owner;
  } catch (error) {
    if (error instanceof CommandFailedError && error.status === ExitStatus.LOCK_HELD) {
      throw new LockHeldError(run.config.primaryHost, error.output);
    }
    if (error instanceof CommandFailedError) throw runDirectoryError(error, run.config.runDirectory);
    if (error instanceof SshError) await releaseIfTaken(run, owner);
    throw error;
  }
}

/** The connection was lost: the lock may have been acquired. */
async function releaseIfTaken(run: Run, owner: LockOwner): Promise<void> {
  await onLock(run, "Release the lock", releaseOwnLock(run.config, owner)).catch(() => {});
}

/** Runs one step on the primary host. An interruption does not end it: its result must be known. @throws SshError on timeout */
function onLock(run: Run, title: string, body: Body): Promise<ScriptResult> {
  return primary(run).run(script(title, [step(title, body, LOCK_STEP)]), { deadlineSeconds: LOCK_SECONDS });
}

/** `lock acquire`. */
export async function takeLock(run: Run, message: string): Promise<void> {
  await acquire(run, message);
  run.print("Acquired the deploy lock\n");
}

/** `lock release`. */
export async function freeLock(run: Run): Promise<void> {
  const result = await onLock(run, "Release the lock", releaseEveryLock(run.config));
  run.print(result.text(LOCK_STEP) === "" ? "There is no deploy lock\n" : "Released the deploy lock\n");
}

/** `lock status`. */
export async function lockStatus(run: Run): Promise<void> {
  const work = script("Lock", [attempt("Lock", statusCommand(run.config), "status")]);
  const result = await primary(run).run(work, { signal: run.signal });
  run.print(`${result.text("status") || "There is no deploy lock"}\n`);
}

function primary(run: Run) {
  return run.host(run.config.primaryHost);
}
