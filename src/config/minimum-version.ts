/**
 * The version of Kamal whose `deploy.yml` this program understands. The `minimum_version` of a file written for MRSK or
 * Kamal means a version of theirs.
 */
const UNDERSTOOD = "2.12.0";

/** The version that `minimum_version` is compared with: the later of Kamal's and the program's. */
function current(own: string): string {
  return isOlder(own, UNDERSTOOD) ? UNDERSTOOD : own;
}

/** @returns MRSK's message, if the file requires a later version */
export function minimumVersionProblem(minimum: string, own: string): string | undefined {
  const version = current(own);
  return isOlder(version, minimum) ? `Current version is ${version}, minimum required is ${minimum}` : undefined;
}

/** As RubyGems orders versions: number by number, missing ones are 0, and a part with letters comes before a number. */
function isOlder(version: string, than: string): boolean {
  const left = partsOf(version);
  const right = partsOf(than);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const a = left[i] ?? 0;
    const b = right[i] ?? 0;
    if (a === b) continue;
    if (typeof a !== typeof b) return typeof a === "string";
    return a < b;
  }
  return false;
}

function partsOf(version: string): (number | string)[] {
  const parts = version.replace("-", ".pre.").match(/\d+|[A-Za-z]+/g) ?? [];
  return parts.map((part) => (/^\d/.test(part) ? Number(part) : part));
}
