import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { lines, type Shell } from "../script/command.ts";
import { ORIGINAL_LOCK } from "../shell/constants.ts";
import { lockDirectory } from "./names.ts";
import { oneLine } from "./one-line.ts";

export interface LockDetails {
  readonly by: string;
  /** UTC without fractions. */
  readonly at: string;
  readonly version: string;
  readonly message: string;
}

/** What a run writes into the lock: its details, and an id that no other run has. */
export interface LockOwner {
  readonly text: string;
  /** Hex digits. Two runs of one person may have the same details. */
  readonly id: string;
}

/** The three lines of the original, without a newline at the end: no value can add a line. */
export function lockText({ by, at, version, message }: LockDetails): string {
  return [`Locked by: ${by} at ${at}`, `Version: ${version}`, `Message: ${message}`].map(oneLine).join("\n");
}

/** Ends with LOCK_HELD and its details on standard output where another has the lock, or MRSK's own. */
export function acquireLock(config: Config, { text, id }: LockOwner): Shell {
  return call("take_lock", config.runDirectory, lockDirectory(config), id, mimeBase64(text));
}

/** Prints the details, or nothing when there is no lock. */
export function lockStatus(config: Config): Shell {
  return call("print_locks", lockDirectory(config));
}

/**
 * At the end of a run: after a `lock release` another one may hold the lock by now, and keeps it. Ends with LOCK_HELD and
 * its details then, with LOCK_GONE when there is no lock.
 */
export function releaseOwnLock(config: Config, { id }: LockOwner): Shell {
  return call("release_own_lock", lockDirectory(config), id);
}

/** For `lock release`: the lock, whichever run has it, and MRSK's. Idempotent; prints `released` for each that existed. */
export function releaseEveryLock(config: Config): Shell {
  return lines(call("release_lock", lockDirectory(config)), call("release_lock", ORIGINAL_LOCK));
}

/** Lines of 60 characters with a newline after each, as the original wrote them. */
function mimeBase64(text: string): string {
  return Buffer.from(text)
    .toString("base64")
    .replaceAll(/.{1,60}/g, "$&\n");
}
