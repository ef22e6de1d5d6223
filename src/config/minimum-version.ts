/**
 * The release of the original's line whose `deploy.yml` is understood here to the last key: Kamal 1.9.3, the last one
 * with Traefik. A `minimum_version` in files that came from there speaks of that line.
 */
const UNDERSTOOD = "1.9.3";

/** What counts as the current version: the later of the release understood and of the program's own. */
function current(own: string): string {
  return isOlder(own, UNDERSTOOD) ? UNDERSTOOD : own;
}

/** @returns the original's message where the file asks for more than there is */
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
