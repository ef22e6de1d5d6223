import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { type Shell, sh } from "../script/command.ts";
import { servicePrefix } from "./names.ts";

/** Every line begins with it, so that an older program refuses what a newer one wrote. */
const FORMAT = "1";
const CANARY = "canary";
/** More than anybody will roll back over. */
const KEPT = 100;

/** In the login directory: one line per version that went live here. */
export function versionsFile(config: Config): string {
  return `${config.runDirectory}/releases-${servicePrefix(config)}`;
}

export interface LiveVersion {
  /** UTC without fractions. */
  readonly at: string;
  readonly version: string;
  readonly performer: string;
  /** Whether this host has it on trial, while others stay with the version before. */
  readonly canary?: boolean;
}

/**
 * Appends a version that is live and stays so.
 * @param full whether the file is to be made shorter
 */
export function recordVersion(
  config: Config,
  { at, version, performer, canary }: LiveVersion,
  { full }: { full: boolean },
): Shell {
  const file = versionsFile(config);
  const mark = canary ? [CANARY] : [];
  const line = [FORMAT, at, version, performer.replaceAll(/\s+/g, " "), ...mark].join("\t");
  return call("record_version", file, line, ...(full ? [KEPT / 2] : []));
}

/** The last lines of the file, as many as `releasesAreMany` judges by. */
export function printVersions(file: string): Shell {
  return sh`[ ! -f ${file} ] || tail -n ${KEPT} ${file}`;
}

/** Whether there are so many that the file is to be made shorter. */
export function isVersionsFileFull(text: string): boolean {
  return text.trimEnd().split("\n").length >= KEPT;
}

/** Takes a version's line away again, where it is the last one: it did not stay live. */
export function forgetVersion(config: Config, version: string): Shell {
  return call("forget_version", versionsFile(config), version);
}

/** The versions in a releases file, oldest first; trials and lines of other formats are passed over. */
export function liveVersions(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [format, , version, , mark] = line.split("\t");
    return format === FORMAT && version && mark !== CANARY ? [version] : [];
  });
}

/** The version of the last release, when this host has it on trial. */
export function canaryVersion(text: string): string | undefined {
  const [format, , version, , mark] = text.trimEnd().split("\n").at(-1)!.split("\t");
  return format === FORMAT && mark === CANARY ? version : undefined;
}
