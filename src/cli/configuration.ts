import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import type { ConfigSource } from "../config/load.ts";
import type { LocalEnvironment } from "../config/env/secrets.ts";
import type { GitState } from "../flow/build/git.ts";
import { DEFAULT_CONFIG_FILE, type GlobalOptions, globalOptions } from "./options.ts";

/** The options of a command line, the variables of `.env`, and the configuration. */
export interface Configuration {
  readonly options: GlobalOptions;
  readonly cwd: string;
  readonly processEnvironment: Readonly<Record<string, string>>;
  readonly environment: LocalEnvironment;
  readonly config: Config;
  /** The files of `config`, to report further mistakes in them. */
  readonly source: ConfigSource;
}

/** @throws ConfigError */
export async function readConfiguration(command: Command): Promise<Configuration> {
  const options = globalOptions(command);
  const [{ loadConfig }, { loadEnvironment }] = await Promise.all([
    import("../config/load.ts"),
    import("../config/env/secrets.ts"),
  ]);
  const cwd = process.cwd();
  const processEnvironment = process.env as Record<string, string>;
  const environment = await loadEnvironment({ cwd, destination: options.destination, processEnvironment });
  const file = options.configFile ?? DEFAULT_CONFIG_FILE;
  const source = { file, destination: options.destination, cwd, environment };
  const config = await loadConfig(source);
  return { options, cwd, processEnvironment, environment, config, source };
}

/** Random hex digits. */
export function newId(digits: number): string {
  // The global `crypto`: importing node:crypto takes longer than everything else that a small command does.
  const bytes = crypto.getRandomValues(new Uint8Array(Math.ceil(digits / 2)));
  return Buffer.from(bytes).toString("hex").slice(0, digits);
}

/** The version of this run: `--version`, `VERSION`, or the git revision. Determined once. */
export function versionOf({ options, environment, config, cwd }: Configuration, git: () => Promise<GitState>) {
  return once(async () => {
    const { appVersion } = await import("../flow/version.ts");
    const named = options.version || (await environment.get("VERSION"));
    return appVersion({ named, git, newId, cwd, ofFolder: config.builder.contextGiven });
  });
}

export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
