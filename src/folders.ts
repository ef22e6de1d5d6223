import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder, and missing folders above it. Not by Node's `recursive`, which never ends if the system reports ENOENT
 * although the folder above exists, as for `/proc/nope`.
 * @throws Error of the system
 */
export function makeFolders(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    const above = dirname(path);
    if (code !== "ENOENT" || above === path) throw error;
    makeFolders(above, mode);
    mkdirSync(path, { mode });
  }
}
