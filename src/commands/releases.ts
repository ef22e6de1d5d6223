import type { Config } from "../config/config.ts";
import { type Shell, sh } from "./command.ts";
import { servicePrefix } from "./names.ts";

/** Every line begins with it, so that an older program refuses what a newer one wrote. */
const FORMAT = "1";
/** As many as anybody will roll back over. */
const KEPT = 100;

/** In the login directory: one line per version that went live here. */
export function releasesFile(config: Config): string {
  return `${config.runDirectory}/releases-${servicePrefix(config)}`;
}

export interface Release {
  /** UTC without fractions. */
  readonly at: string;
  readonly version: string;
  readonly performer: string;
}

/** Appends a version that is live and stays so. */
export function recordRelease(config: Config, { at, version, performer }: Release): Shell {
  const file = releasesFile(config);
  const line = [FORMAT, at, version, performer.replaceAll(/\s+/g, " ")].join("\t");
  return sh`mkdir -p ${config.runDirectory}
{ tail -n ${KEPT - 1} ${file} 2>/dev/null || true; printf '%s\n' ${line}; } >${`${file}.new`}
mv -f ${`${file}.new`} ${file}`;
}

/** Takes the last line back, where it is that version's: it did not stay live. */
export function forgetRelease(config: Config, version: string): Shell {
  const file = releasesFile(config);
  return sh`if [ "$(tail -n 1 ${file} 2>/dev/null | cut -f 3)" = ${version} ]; then
  sed '$d' ${file} >${`${file}.new`}
  mv -f ${`${file}.new`} ${file}
fi`;
}

/** The versions in a releases file, oldest first; lines of other formats are passed over. */
export function releasedVersions(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [format, , version] = line.split("\t");
    return format === FORMAT && version ? [version] : [];
  });
}
