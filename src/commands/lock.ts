import type { Config } from "../config/config.ts";
import { raw, type Shell, sh, type Word } from "./command.ts";
import { lockDirectory } from "./names.ts";

/** Exit status of `acquire` when somebody else has the lock. */
export const LOCK_HELD = 75;
/** Where the original keeps one lock for all services of a server. */
const ORIGINAL_LOCK = "mrsk_lock";

export interface LockDetails {
  readonly by: string;
  /** UTC without fractions. */
  readonly at: string;
  readonly version: string;
  readonly message: string;
}

/** The three lines of the original, without a newline at the end. */
export function lockText(details: LockDetails): string {
  return `Locked by: ${details.by} at ${details.at}\nVersion: ${details.version}\nMessage: ${details.message}`;
}

/** Prints who has the lock. It may have no details: its owner was cut off between the two steps of taking it. */
function printDetails(directory: Word): Shell {
  return sh`{ base64 -d <${directory}/details 2>/dev/null | grep ''; } || echo 'The lock has no details: whoever took it was cut off while doing so'`;
}

/**
 * `mkdir` is the atomic step. Whether somebody else has the lock is learnt from the directory, never from the text of
 * an error. The original's own lock counts too. Ends with LOCK_HELD and its details on standard output.
 */
export function acquireLock(config: Config, text: string): Shell {
  const directory = lockDirectory(config);
  return sh`if [ -d ${ORIGINAL_LOCK} ]; then
  ${printDetails(ORIGINAL_LOCK)}
  echo 'It is the lock of the original, for all services of this host: mrsk_lock'
  exit ${LOCK_HELD}
fi
mkdir -p ${config.runDirectory}
if mkdir ${directory} 2>/dev/null; then
  printf '%s' ${mimeBase64(text)} >${`${directory}/details`} || { rm -rf ${directory}; exit 1; }
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

/** Idempotent: no lock is what was wanted. Prints `released` when there was one. */
export function releaseLock(config: Config): Shell {
  const directory = lockDirectory(config);
  return sh`if [ -d ${directory} ]; then rm -rf ${directory}; echo released; fi`;
}

/** Takes back a lock whose taking was cut off: only with exactly these details. */
export function releaseOwnLock(config: Config, text: string): Shell {
  const file = `${lockDirectory(config)}/details`;
  return sh`if [ "$(base64 -d <${file} 2>/dev/null)" = ${text} ]; then ${releaseLock(config)}; fi`;
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
