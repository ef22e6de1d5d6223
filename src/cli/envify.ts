import { join } from "node:path";
import { checkDestination } from "../config/destination.ts";
import { LocalEnvironment } from "../config/env/environment.ts";
import { renderErb } from "../config/ruby/erb.ts";
import { readTextFile } from "../config/text-file.ts";
import { ConfigError } from "../errors.ts";
import { replacePrivateFile } from "./write-file.ts";

/** Evaluates `.env.erb` into `.env` (with a destination: `.env.NAME.erb` into `.env.NAME`), readable by the user alone. */
export async function envify(
  cwd: string,
  destination: string | undefined,
  processEnvironment: NodeJS.ProcessEnv,
  note: (text: string) => void,
): Promise<void> {
  const target = destination === undefined ? ".env" : `.env.${checkDestination(destination)}`;
  const source = `${target}.erb`;
  const text = readTextFile(join(cwd, source), source);
  if (text === undefined) {
    throw new ConfigError([`Template not found: ${join(cwd, source)}`], {
      hint: `Write ${source}, or put the values into ${target} yourself: KEY=$(command) fetches one when it is needed.`,
    });
  }
  const environment = new LocalEnvironment(cwd, processEnvironment);
  replacePrivateFile(join(cwd, target), await renderErb(text, { file: source, environment, cwd, note }));
}
