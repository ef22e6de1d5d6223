import { closeSync, existsSync, lstatSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ConfigError } from "../errors.ts";
import { fileReason } from "../file-problem.ts";
import { newId } from "./configuration.ts";

/**
 * Puts a file in the place of the one that has the name, at once and whole, readable by the user alone from its creation.
 * @throws ConfigError when it cannot be written
 */
export function replacePrivateFile(path: string, text: string): void {
  try {
    writeBeside(path, text);
  } catch (error) {
    const why = fileReason(error) ?? (error as Error).message;
    throw new ConfigError([`Cannot write ${basename(path)}: ${why}`], { cause: error });
  }
}

function writeBeside(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${newId(12)}`);
  // "x": never a file or a link that another program put there.
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
