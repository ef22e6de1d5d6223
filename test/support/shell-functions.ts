import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = new URL("../../src/shell/", import.meta.url).pathname;

/** The texts of `src/shell/*.sh`. */
export const shellFiles: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".sh"))
  .map((file) => readFileSync(join(FOLDER, file), "utf8"));

/** The names of the functions in these files. */
export const functionNames: readonly string[] = shellFiles.flatMap((text) =>
  Array.from(text.matchAll(/^(\w+)\(\)/gm), ([, name]) => name!),
);
