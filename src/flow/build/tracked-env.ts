import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, script } from "../../script/script.ts";
import { sh } from "../../script/command.ts";
import { readDotenv } from "../../config/env/dotenv.ts";
import { namesOfSecrets, seemsSecret } from "../../config/env/named-secrets.ts";
import type { Config } from "../../config/config.ts";
import { ConfigError } from "../../errors.ts";
import type { Run } from "../run.ts";

const STEP = "Tracked";

/**
 * Secrets in git end up in the image, and everyone with access to the repository can read them.
 * @throws ConfigError naming each `.env` file of the folder that git tracks and that holds secrets, unless
 *   `builder.allow_tracked_env` is set
 */
export async function refuseTrackedSecrets(run: Run): Promise<void> {
  if (run.config.builder.allowTrackedEnv) return;
  const secrets = secretsByFile(run.config, run.cwd);
  if (secrets.size === 0) return;
  const tracked = await trackedOf(run, [...secrets.keys()]);
  if (tracked.length === 0) return;
  const problems = tracked.map((file) => {
    const names = secrets.get(file)!;
    return `${file} is tracked by git and holds secrets (${names.join(", ")}), which would be in the image`;
  });
  throw new ConfigError(problems, {
    hint: `Run git rm --cached ${tracked.join(" ")}, add .env* to .gitignore and .dockerignore, commit, and change these secrets. To allow them in the image, set builder.allow_tracked_env: true.`,
  });
}

/** Example files, and templates whose commands fetch the values. */
const NO_VALUES = /\.(?:example|sample|template|dist|erb)$/;

/** Names of the secrets by `.env` file of the folder; only files with secrets. */
function secretsByFile(config: Config, cwd: string): Map<string, string[]> {
  const named = new Set(namesOfSecrets(config));
  const files = namesIn(cwd).filter((name) => /^\.env(?:\..+)?$/.test(name) && !NO_VALUES.test(name));
  const found = files.map((name): [string, string[]] => [name, secretsOf(textOf(join(cwd, name)), named)]);
  return new Map(found.filter(([, names]) => names.length > 0));
}

/** Names of the secrets in a `.env` file. A value that a command fetches is not in the file. */
function secretsOf(text: string, named: ReadonlySet<string>): string[] {
  const entries = readDotenv(text).filter(
    ({ value, literal }) => value !== "" && (literal || !/^\$\(.*\)$/s.test(value)),
  );
  const secret = entries.filter(({ name, value }) => named.has(name) || seemsSecret(name, value));
  return [...new Set(secret.map(({ name }) => name))];
}

/** The files that are in git's index, or in the commit to build. */
async function trackedOf(run: Run, files: readonly string[]): Promise<string[]> {
  const list = sh`{ git ls-files -- ${files}; git ls-tree --name-only HEAD -- ${files}; } 2>/dev/null || true`;
  const result = await run.local.run(script("Files with secrets", [attempt(STEP, list)]));
  const listed = new Set(result.text(STEP).split("\n"));
  return files.filter((file) => listed.has(file));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
