import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder, and those above it that are missing. Node's own way (`recursive`) never ends where the system says of a
 * folder that is there that it is not, as of `/proc/nope`.
 * @throws Error as the system says it
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
