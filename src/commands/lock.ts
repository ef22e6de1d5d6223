import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { lines, type Shell } from "../script/command.ts";
import { MRSK_LOCK } from "../shell/constants.ts";
import { lockDirectory } from "../config/names.ts";
import { oneLine } from "./one-line.ts";

export interface LockDetails {
  readonly by: string;
  /** UTC without fractions. */
  readonly at: string;
  readonly version: string;
  readonly message: string;
}

/** What a run writes into the lock: its details, and its unique id. */
export interface LockOwner {
  readonly text: string;
  /** Hex digits. Two runs of one person may have the same details. */
  readonly id: string;
}

/** MRSK's three lines, without a newline at the end. No value can add a line. */
export function lockText({ by, at, version, message }: LockDetails): string {
  return [`Locked by: ${by} at ${at}`, `Version: ${version}`, `Message: ${message}`].map(oneLine).join("\n");
}

/** Exits with LOCK_HELD, and the details on standard output, if another run holds the lock, or if there is MRSK's lock. */
export function acquireLock(config: Config, { text, id }: LockOwner): Shell {
  return call("acquire_lock", config.runDirectory, lockDirectory(config), id, mimeBase64(text));
}

/** Succeeds if the run of that id holds the lock. */
export function holdsLock(config: Config, id: string): Shell {
  return call("holds_lock", lockDirectory(config), id);
}

/** Prints the details, or nothing if there is no lock. */
export function lockStatus(config: Config): Shell {
  return call("print_locks", lockDirectory(config));
}

/**
 * Releases the lock at the end of a run. After `lock release`, another run may hold it: then exits with LOCK_HELD and its
 * details. Exits with LOCK_GONE if there is no lock.
 */
export function releaseOwnLock(config: Config, { id }: LockOwner): Shell {
  return call("release_own_lock", lockDirectory(config), id);
}

/** For `lock release`: releases the lock of any run, and MRSK's. Idempotent; prints `released` for each that existed. */
export function releaseEveryLock(config: Config): Shell {
  return lines(call("release_lock", lockDirectory(config)), call("release_lock", MRSK_LOCK));
}

/** Lines of 60 characters with a newline after each, as MRSK wrote them. */
function mimeBase64(text: string): string {
  return Buffer.from(text)
    .toString("base64")
    .replaceAll(/.{1,60}/g, "$&\n");
}
