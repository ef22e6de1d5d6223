import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** A sentence for each `.env` file or template of the folder that any user of this machine can change. */
export function writableByAll(cwd: string): string[] {
  return envFiles(cwd).map(
    (name) =>
      `${name} can be changed by every user of this machine, and its commands run as you: run chmod 600 ${name}`,
  );
}

function envFiles(cwd: string): string[] {
  try {
    return readdirSync(cwd).filter((name) => /^\.env(?:\.|$)/.test(name) && isWritableByAll(join(cwd, name)));
  } catch {
    return [];
  }
}

function isWritableByAll(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && (found.mode & 0o002) !== 0;
}
