import { readFileSync } from "node:fs";
import { asFileError } from "./errors.ts";

/** @throws FileError, with the path even if the system's error has none: a folder can be opened, but not read */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw asFileError(error, path);
  }
}
