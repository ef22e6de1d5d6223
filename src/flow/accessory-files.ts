import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Accessory } from "../config/config.ts";
import { writtenAt } from "../config/yaml/written-at.ts";
import { ConfigError } from "../errors.ts";
import type { Run } from "./run.ts";

/** @throws ConfigError naming every path that does not exist or is a folder */
export function checkFiles({ cwd }: Run, accessories: readonly Accessory[]): void {
  const problems = accessories.flatMap(({ name, files }) =>
    files.flatMap((file) => {
      const found = statSync(resolve(cwd, file.local), { throwIfNoEntry: false });
      if (found && !found.isDirectory()) return [];
      const what = found ? `${file.local} is a folder: name its files one by one` : `there is no file ${file.local}`;
      return [`${writtenAt(file, `accessories/${name}/files`)}: ${what}`];
    }),
  );
  if (problems.length > 0) throw new ConfigError(problems);
}
