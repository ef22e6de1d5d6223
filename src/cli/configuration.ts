import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import type { ConfigSource } from "../config/load.ts";
import type { ProjectVariables } from "../config/kamal-secrets/project-variables.ts";
import type { GitState } from "../flow/build/git.ts";
import { DEFAULT_CONFIG_FILE, type GlobalOptions, globalOptions } from "./options.ts";

/** The options of a command line, the project's variables, and the configuration. */
export interface Configuration {
  readonly options: GlobalOptions;
  readonly cwd: string;
  readonly processEnvironment: Readonly<Record<string, string>>;
  readonly environment: ProjectVariables["environment"];
  readonly kamalSecrets: ProjectVariables["kamalSecrets"];
  /** Sentences about the variables. */
  readonly notes: readonly string[];
  readonly config: Config;
  /** The files of `config`, to report further mistakes in them. */
  readonly source: ConfigSource;
}

/** @throws ConfigError */
export async function readConfiguration(command: Command): Promise<Configuration> {
  const options = globalOptions(command);
  const [{ loadConfig }, { openVariables }] = await Promise.all([
    import("../config/load.ts"),
    import("../config/kamal-secrets/project-variables.ts"),
  ]);
  const project = projectOf(options);
  const { environment, kamalSecrets, notes } = await openVariables(project);
  const { cwd, destination, file, processEnvironment } = project;
  const source = { file, destination, cwd, environment };
  const config = await loadConfig(source);
  return { options, cwd, processEnvironment, environment, kamalSecrets, notes, config, source };
}

/** The files of the working directory that the options name. */
export function projectOf({ configFile, destination, verbose }: GlobalOptions) {
  return {
    file: configFile ?? DEFAULT_CONFIG_FILE,
    destination,
    cwd: process.cwd(),
    processEnvironment: process.env as Record<string, string>,
    verbose: verbose === true,
  };
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
