import { closeSync, existsSync, lstatSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ConfigError } from "../errors.ts";
import { fileReason } from "../file-problem.ts";
import { newId } from "./configuration.ts";

/**
 * Creates or replaces a file atomically. The user alone can read it, from its creation on.
 * @throws ConfigError if it cannot be written
 */
export function replacePrivateFile(path: string, text: string): void {
  try {
    writeAndRename(path, text);
  } catch (error) {
    const why = fileReason(error) ?? (error as Error).message;
    throw new ConfigError([`Cannot write ${basename(path)}: ${why}`], { cause: error });
  }
}

function writeAndRename(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${newId(12)}`);
  // "x" fails if the file exists: another program may have created a file or a link of that name.
  const file = openSync(temporary, "wx", 0o600);
  try {
    writeFileSync(file, text);
    renameSync(temporary, path);
  } finally {
    closeSync(file);
    if (existsSync(temporary)) unlinkSync(temporary);
  }
}

/** Whether the path exists, also as a broken link: writing to it would create a file elsewhere. */
export function isPresent(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
