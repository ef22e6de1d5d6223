import { readFileSync } from "node:fs";
import { asFileError } from "./errors.ts";

/** @throws FileError, which names the file also where the system does not: a folder opens, and only then cannot be read */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw asFileError(error, path);
  }
}
