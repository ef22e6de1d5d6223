import type { Config } from "../config/config.ts";
import { raw, type Shell, sh, type Word } from "../script/command.ts";
import { lockDirectory } from "./names.ts";
import { oneLine } from "./one-line.ts";

/** Exit status of `acquire` when somebody else has the lock. */
export const LOCK_HELD = 75;
/** Exit status of `releaseOwnLock` when there is no lock any more. */
export const LOCK_GONE = 76;
/** Where the original keeps one lock for all services of a server. */
const ORIGINAL_LOCK = "mrsk_lock";
/** In the lock's folder: the id of the run that holds it. */
const OWNER_FILE = "run";

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

/** Prints who has the lock. It may have no details: its owner was cut off between the two steps of taking it. */
function printDetails(directory: Word): Shell {
  return sh`{ base64 -d <${directory}/details 2>/dev/null | grep ''; } || echo 'The lock has no details: the run that took it was interrupted'`;
}

/**
 * `mkdir` is the atomic step. Whether somebody else has the lock is learnt from the directory, never from the text of
 * an error. The original's own lock counts too. Ends with LOCK_HELD and its details on standard output.
 */
export function acquireLock(config: Config, { text, id }: LockOwner): Shell {
  const directory = lockDirectory(config);
  return sh`if [ -d ${ORIGINAL_LOCK} ]; then
  ${printDetails(ORIGINAL_LOCK)}
  echo 'It is the lock of the original, for all services of this host: mrsk_lock'
  exit ${LOCK_HELD}
fi
mkdir -p ${config.runDirectory}
if mkdir ${directory} 2>/dev/null; then
  { printf '%s' ${id} >${`${directory}/${OWNER_FILE}`} && printf '%s' ${mimeBase64(text)} >${`${directory}/details`}; } || { rm -rf ${directory}; exit 1; }
elif [ -d ${directory} ]; then
  ${printDetails(directory)}
  exit ${LOCK_HELD}
else
  mkdir ${directory}
fi`;
}

/** Prints the details, or nothing when there is no lock. */
export function lockStatus(config: Config): Shell {
  const directory = lockDirectory(config);
  return sh`for lock in ${directory} ${ORIGINAL_LOCK}; do
  if [ -d "$lock" ]; then ${printDetails(raw('"$lock"'))}; fi
done`;
}

/** Whoever holds it. Idempotent: no lock is what was wanted. Prints `released` when there was one. */
export function releaseLock(config: Config): Shell {
  const directory = lockDirectory(config);
  return sh`if [ -d ${directory} ]; then rm -rf ${directory}; echo released; fi`;
}

/**
 * At the end of a run: after a `lock release` another one may hold the lock by now, and keeps it. Ends with LOCK_HELD and
 * its details then, with LOCK_GONE when there is no lock.
 */
export function releaseOwnLock(config: Config, { id }: LockOwner): Shell {
  const directory = lockDirectory(config);
  return sh`if [ "$(cat ${`${directory}/${OWNER_FILE}`} 2>/dev/null)" = ${id} ]; then ${releaseLock(config)}
elif [ -d ${directory} ]; then
  ${printDetails(directory)}
  exit ${LOCK_HELD}
else
  exit ${LOCK_GONE}
fi`;
}

/** For `lock release`: the original's as well. */
export function releaseEveryLock(config: Config): Shell {
  return sh`${releaseLock(config)}
if [ -d ${ORIGINAL_LOCK} ]; then rm -rf ${ORIGINAL_LOCK}; echo released; fi`;
}

/** Lines of 60 characters with a newline after each, as the original wrote them. */
function mimeBase64(text: string): string {
  return Buffer.from(text)
    .toString("base64")
    .replaceAll(/.{1,60}/g, "$&\n");
}
