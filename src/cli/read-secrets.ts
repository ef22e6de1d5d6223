import { combined } from "../config/env/environment.ts";
import { asJson, extractSecret, fetchSecrets } from "../config/kamal-secrets/secrets-command.ts";
import { openKamalSecrets } from "../config/kamal-secrets/project-variables.ts";
import { SecretsCommandError } from "../config/kamal-secrets/secrets-command-error.ts";
import { shellEscape } from "../config/kamal-secrets/shell-escape.ts";
import { ConfigError } from "../errors.ts";
import { projectOf } from "./configuration.ts";
import type { GlobalOptions } from "./options.ts";

/** `secrets fetch`. @throws ConfigError with the exit status and the output of a tool that fails */
export async function fetch(
  names: readonly string[],
  { adapter, account, from, inline }: { adapter: string; account?: string; from?: string; inline?: boolean },
  write: (text: string) => void,
): Promise<void> {
  const context = {
    cwd: process.cwd(),
    environment: process.env as Record<string, string>,
    mask: (text: string) => text,
  };
  const json = asJson(await reported(fetchSecrets({ names, adapter, account, from }, context)));
  write(`${inline ? shellEscape(json) : json}\n`);
}

/** `secrets extract`. */
export async function extract(name: string, json: string | undefined, write: (text: string) => void): Promise<void> {
  const text = json ?? (await standardInput());
  write(`${await reported(Promise.resolve(text).then((read) => extractSecret(name, read)))}\n`);
}

/** `secrets print`. */
export async function print(options: GlobalOptions, write: (text: string) => void): Promise<void> {
  const secrets = await openKamalSecrets(projectOf(options));
  if (secrets.files.length === 0) {
    throw new ConfigError([`There are no secrets to print: ${secrets.whyMissing.replace("is not set: ", "")}`]);
  }
  const { values, failures } = await secrets.evaluateAll();
  if (failures.length > 0) throw combined(failures);
  for (const [name, value] of values) write(`${name}=${value}\n`);
}

async function reported<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof SecretsCommandError)) throw error;
    throw new ConfigError([`secrets: ${error.message}`], { cause: error });
  }
}

async function standardInput(): Promise<string> {
  const { text } = await import("node:stream/consumers");
  return text(process.stdin);
}
