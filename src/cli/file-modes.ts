import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** A sentence for each `.env` file, template or secrets file that any user of this machine can change. */
export function writableByAll(cwd: string): string[] {
  const files = [...openTo(cwd, "", /^\.env(?:\.|$)/), ...openTo(cwd, ".kamal/", /^secrets(?:[.-]|$)/)];
  return files.map(
    (name) =>
      `${name} can be changed by every user of this machine, and its commands run as you: run chmod 600 ${name}`,
  );
}

/** @param folder with a slash at the end */
function openTo(cwd: string, folder: string, files: RegExp): string[] {
  try {
    const names = readdirSync(join(cwd, folder)).filter((name) => files.test(name));
    return names.map((name) => folder + name).filter((path) => isWritableByAll(join(cwd, path)));
  } catch {
    return [];
  }
}

function isWritableByAll(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && (found.mode & 0o002) !== 0;
}
