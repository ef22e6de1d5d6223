import type { Config } from "../config/config.ts";
import { call } from "../script/call.ts";
import { type Shell, sh } from "../script/command.ts";
import { servicePrefix } from "../config/names.ts";

/** Every line begins with the format number, so that an older mrsk ignores the lines of a newer one. */
const FORMAT = "1";
const CANARY = "canary";
/** More versions than any rollback needs. */
const KEPT = 100;

/** The list of versions that went live on a host, in the login user's home directory. One line for each. */
export function versionsFile(config: Config): string {
  return `${config.runDirectory}/releases-${servicePrefix(config)}`;
}

export interface LiveVersion {
  /** UTC without fractions. */
  readonly at: string;
  readonly version: string;
  readonly performer: string;
  /** Whether it is a canary by host: other hosts still run the previous version. */
  readonly canary?: boolean;
}

/**
 * Appends a version that went live.
 * @param full whether to truncate the file first
 */
export function recordVersion(
  config: Config,
  { at, version, performer, canary }: LiveVersion,
  { full }: { full: boolean },
): Shell {
  const file = versionsFile(config);
  const flag = canary ? [CANARY] : [];
  const line = [FORMAT, at, version, performer.replaceAll(/\s+/g, " "), ...flag].join("\t");
  return call("record_version", file, line, ...(full ? [KEPT / 2] : []));
}

/** Prints the last lines of the file, as many as `isVersionsFileFull` needs. */
export function printVersions(file: string): Shell {
  return sh`[ ! -f ${file} ] || tail -n ${KEPT} ${file}`;
}

/** Whether the file is so long that the next record should truncate it. */
export function isVersionsFileFull(text: string): boolean {
  return text.trimEnd().split("\n").length >= KEPT;
}

/** Removes the last line if it has this version, which did not stay live. */
export function forgetVersion(config: Config, version: string): Shell {
  return call("forget_version", versionsFile(config), version);
}

/** The versions in the file, oldest first, without canaries and lines of other formats. */
export function liveVersions(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [format, , version, , flag] = line.split("\t");
    return format === FORMAT && version && flag !== CANARY ? [version] : [];
  });
}

/** The last version in the file, if it is a canary by host. */
export function canaryVersion(text: string): string | undefined {
  const [format, , version, , flag] = text.trimEnd().split("\n").at(-1)!.split("\t");
  return format === FORMAT && flag === CANARY ? version : undefined;
}
