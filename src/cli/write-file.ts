import { closeSync, existsSync, lstatSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { newId } from "./configuration.ts";

/** Puts a file in the place of whatever has the name, at once and whole, readable by the user alone from its creation. */
export function replacePrivateFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${newId(12)}`);
  // "x": never a file, or a link to one, that somebody else put there.
  const file = openSync(temporary, "wx", 0o600);
  try {
    writeFileSync(file, text);
    renameSync(temporary, path);
  } finally {
    closeSync(file);
    if (existsSync(temporary)) unlinkSync(temporary);
  }
}

/** Whether something has the name, be it a link to nothing: writing there would write elsewhere. */
export function isPresent(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
