import {
  acquireLock,
  LOCK_HELD,
  lockStatus as statusCommand,
  lockText,
  releaseEveryLock,
  releaseLock,
  releaseOwnLock,
} from "../commands/lock.ts";
import { attempt, script, step } from "../commands/script.ts";
import { CommandFailedError, LockHeldError, SshError } from "../errors.ts";
import { runDirectoryInWords } from "../hosts/file-system.ts";
import { runHook, timestamp } from "./hook.ts";
import { type Run, stopIfInterrupted } from "./run.ts";

/**
 * Holds the deploy lock while `work` runs, and frees it whatever happens; runs the `pre-connect` hook first. A run that
 * already holds it just works. The lock is on the configured primary host, whatever the filters say.
 * @throws LockHeldError naming who has it
 */
export async function withLock<T>(run: Run, work: () => Promise<T>): Promise<T> {
  if (run.held.lock) return work();
  await connecting(run);
  run.report({ kind: "title", text: "Acquiring the deploy lock..." });
  run.held.taking = true;
  try {
    await acquire(run, "Automatic deploy lock");
    run.held.lock = true;
  } finally {
    run.held.taking = false;
  }
  let failure: unknown;
  try {
    return await work();
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await releaseAfter(run, failure);
  }
}

/** The `pre-connect` hook, once in a run: before the first connection. */
export async function connecting(run: Run): Promise<void> {
  if (run.held.connected) return;
  await runHook(run, "pre-connect");
  run.held.connected = true;
  stopIfInterrupted(run);
}

/** A failing release must not hide why the work failed. */
async function releaseAfter(run: Run, failure: unknown): Promise<void> {
  run.report({ kind: "title", text: "Releasing the deploy lock..." });
  try {
    await primary(run).run(script("Release the lock", [step("Release the lock", releaseLock(run.config))]));
    run.held.lock = false;
  } catch (error) {
    const text = `The deploy lock could not be released: ${error instanceof Error ? error.message : String(error)}. Run \`mrsk lock release\`.`;
    run.report({ kind: "warning", host: run.config.primaryHost, text });
    if (failure === undefined) throw error;
  }
}

async function acquire(run: Run, message: string): Promise<void> {
  const text = lockText({
    by: await run.lockOwner(),
    at: timestamp(run.clock.now()),
    version: await run.version(),
    message,
  });
  try {
    await primary(run).run(script("Take the lock", [step("Take the lock", acquireLock(run.config, text))]));
  } catch (error) {
    if (error instanceof CommandFailedError && error.status === LOCK_HELD) {
      throw new LockHeldError(run.config.primaryHost, error.output);
    }
    if (error instanceof CommandFailedError) throw runDirectoryInWords(error, run.config.runDirectory);
    if (error instanceof SshError) await releaseIfTaken(run, text);
    throw error;
  }
}

/** The connection was lost: nobody knows whether the lock was taken. */
async function releaseIfTaken(run: Run, text: string): Promise<void> {
  const release = attempt("Release the lock", releaseOwnLock(run.config, text));
  await primary(run)
    .run(script("Release the lock", [release]))
    .catch(() => {});
}

/** `lock acquire`. */
export async function takeLock(run: Run, message: string): Promise<void> {
  await acquire(run, message);
  run.print("Acquired the deploy lock\n");
}

/** `lock release`. */
export async function freeLock(run: Run): Promise<void> {
  const result = await primary(run).run(
    script("Release the lock", [step("Release the lock", releaseEveryLock(run.config))]),
  );
  run.print(result.text("Release the lock") === "" ? "There is no deploy lock\n" : "Released the deploy lock\n");
}

/** `lock status`. */
export async function lockStatus(run: Run): Promise<void> {
  const result = await primary(run).run(script("Lock", [attempt("Lock", statusCommand(run.config))]));
  run.print(`${result.text("Lock") || "There is no deploy lock"}\n`);
}

function primary(run: Run) {
  return run.host(run.config.primaryHost);
}
