import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULTS, KAMAL2 } from "../config/defaults.ts";
import { makeFolders } from "../folders.ts";
import { ignoreSecrets } from "./ignore-secrets.ts";
import { DEFAULT_CONFIG_FILE } from "./options.ts";
import { isPresent } from "./write-file.ts";

/** The folder `templates`, next to `dist/` (bundled) or `src/` (run from the sources). */
function templates(): string {
  const here = import.meta.dirname;
  return [join(here, "../templates"), join(here, "../../templates")].find((path) => existsSync(path))!;
}

/**
 * Writes the files that a project starts with, those of Kamal 2. Changes no existing file except `.gitignore` and
 * `.dockerignore`. A project that has a configuration keeps its own secrets: a secrets file of Kamal 2 would change how its
 * configuration is read.
 */
export function init(cwd: string, print: (text: string) => void, { bundle }: { bundle: boolean }): void {
  const created = writeConfiguration(cwd, print);
  const secrets = created && writeSecrets(cwd, print);
  for (const [name, lines] of ignoreSecrets(cwd, secrets)) print(`Added ${lines.join(" and ")} to ${name}\n`);
  writeHooks(cwd, print, created || isPresent(join(cwd, dirname(KAMAL2.hooksPath))));
  if (bundle) print("--bundle has no effect. Instead of a binstub: `npm install --save-dev mrsk`, then `npx mrsk`.\n");
}

function writeConfiguration(cwd: string, print: (text: string) => void): boolean {
  const config = join(cwd, DEFAULT_CONFIG_FILE);
  if (isPresent(config)) {
    print(`Config file already exists in ${DEFAULT_CONFIG_FILE} (remove first to create a new one)\n`);
    return false;
  }
  makeFolders(dirname(config), 0o777);
  copyFileSync(join(templates(), "deploy.yml"), config);
  print(`Created configuration file in ${DEFAULT_CONFIG_FILE}\n`);
  return true;
}

function writeSecrets(cwd: string, print: (text: string) => void): boolean {
  const secrets = join(cwd, KAMAL2.secretsPath);
  if (isPresent(secrets)) return false;
  makeFolders(dirname(secrets), 0o777);
  writeFileSync(secrets, readFileSync(join(templates(), "secrets")), { mode: 0o600, flag: "wx" });
  print(`Created ${KAMAL2.secretsPath} file\n`);
  return true;
}

/** @param kamal2 whether the folder is Kamal's */
function writeHooks(cwd: string, print: (text: string) => void, kamal2: boolean): void {
  if ([DEFAULTS.hooksPath, KAMAL2.hooksPath].some((path) => isPresent(join(cwd, path)))) return;
  const path = kamal2 ? KAMAL2.hooksPath : DEFAULTS.hooksPath;
  makeFolders(join(cwd, path), 0o777);
  for (const sample of readdirSync(join(templates(), "hooks"))) {
    copyFileSync(join(templates(), "hooks", sample), join(cwd, path, sample));
    chmodSync(join(cwd, path, sample), 0o755);
  }
  print(`Created sample hooks in ${path}\n`);
}
