import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/errors.ts";

export interface Files {
  readonly [name: string]: string;
}

/** Calls `work` with a temporary folder that has these files. */
export async function inFolder<T>(files: Files, work: (cwd: string) => Promise<T>): Promise<T> {
  const cwd = await mkdtemp(join(tmpdir(), "mrsk-config-"));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
    return await work(cwd);
  } finally {
    await rm(cwd, { recursive: true });
  }
}

/** The configuration of `deploy.yml`, or, with a destination, of both files. */
export async function configOf(
  yaml: string | Files,
  { destination, environment = {} }: { destination?: string; environment?: Readonly<Record<string, string>> } = {},
): Promise<Config> {
  const files = typeof yaml === "string" ? { "deploy.yml": yaml } : yaml;
  const withoutRuby = { MRSK_RUBY: "off", ...environment };
  return inFolder(files, (cwd) =>
    loadConfig({ file: "deploy.yml", destination, cwd, environment: new Map(Object.entries(withoutRuby)) }),
  );
}

/** The problem lines of a config that does not load; empty if it does. */
export async function problemsOf(...given: Parameters<typeof configOf>): Promise<readonly string[]> {
  try {
    await configOf(...given);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** A valid config: the required keys, and these lines. */
export function withRequired(more: string): string {
  return `service: app
image: acme/app
servers: [10.0.0.1]
registry: {username: u, password: p}
${more}`;
}
