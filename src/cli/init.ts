import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULTS } from "../config/defaults.ts";
import { makeFolders } from "../folders.ts";
import { ignoreEnv } from "./ignore-env.ts";
import { DEFAULT_CONFIG_FILE } from "./options.ts";
import { isPresent } from "./write-file.ts";

/** The folder `templates`, next to `dist/` (bundled) or `src/` (run from the sources). */
function templates(): string {
  const here = import.meta.dirname;
  return [join(here, "../templates"), join(here, "../../templates")].find((path) => existsSync(path))!;
}

/** Writes the files that a project starts with. Changes no existing file except `.gitignore` and `.dockerignore`. */
export function init(cwd: string, print: (text: string) => void, { bundle }: { bundle: boolean }): void {
  const from = templates();
  const config = join(cwd, DEFAULT_CONFIG_FILE);
  if (isPresent(config)) {
    print(`Config file already exists in ${DEFAULT_CONFIG_FILE} (remove first to create a new one)\n`);
  } else {
    makeFolders(dirname(config), 0o777);
    copyFileSync(join(from, "deploy.yml"), config);
    print(`Created configuration file in ${DEFAULT_CONFIG_FILE}\n`);
  }
  const env = join(cwd, ".env");
  if (!isPresent(env)) {
    writeFileSync(env, readFileSync(join(from, "env")), { mode: 0o600, flag: "wx" });
    print("Created .env file\n");
  }
  for (const name of ignoreEnv(cwd)) print(`Added .env* to ${name}\n`);
  const hooks = join(cwd, DEFAULTS.hooksPath);
  if (!isPresent(hooks)) {
    makeFolders(hooks, 0o777);
    for (const sample of readdirSync(join(from, "hooks"))) {
      copyFileSync(join(from, "hooks", sample), join(hooks, sample));
      chmodSync(join(hooks, sample), 0o755);
    }
    print(`Created sample hooks in ${DEFAULTS.hooksPath}\n`);
  }
  if (bundle) print("--bundle has no effect. Instead of a binstub: `npm install --save-dev mrsk`, then `npx mrsk`.\n");
}
