import { chmodSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderTemplate } from "../config/erb.ts";
import { problemLines } from "../config/tree.ts";
import { locateIn } from "../config/yaml.ts";
import { ConfigError } from "../errors.ts";
import { readText } from "../files.ts";

/** Evaluates `.env.erb` into `.env` (with a destination `.env.D.erb` into `.env.D`), readable by the user alone. */
export async function envify(
  cwd: string,
  destination: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const target = destination === undefined ? ".env" : `.env.${destination}`;
  const source = `${target}.erb`;
  if (!existsSync(join(cwd, source))) {
    throw new ConfigError([`Template not found: ${join(cwd, source)}`], {
      hint: `Write ${source}, or put the values into ${target} yourself: KEY=$(command) fetches one when it is needed.`,
    });
  }
  const text = readText(join(cwd, source));
  const known = new Map(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const rendered = await renderTemplate(text, { locate: locateIn(text, source), environment: known, cwd });
  if (rendered.problems.length > 0) throw new ConfigError(problemLines(rendered.problems));
  const path = join(cwd, target);
  writeFileSync(`${path}.new`, rendered.text, { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}
