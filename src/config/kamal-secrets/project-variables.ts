import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { KAMAL2 } from "../defaults.ts";
import { checkDestination, destinationFile } from "../destination.ts";
import { LocalEnvironment, loadEnvironment } from "../env/environment.ts";
import { eraOf } from "../era.ts";
import { writtenKeys } from "../load.ts";
import { withKamal } from "../../kamal-program.ts";
import { secretsFiles } from "./files.ts";
import type { KamalSecrets } from "./kamal-secrets.ts";

interface Project {
  /** The configuration, relative to `cwd`. */
  readonly file: string;
  readonly destination: string | undefined;
  readonly cwd: string;
  readonly processEnvironment: Readonly<Record<string, string | undefined>>;
  readonly verbose: boolean;
}

export interface ProjectVariables {
  /** `ENV` in the configuration, and what commands get. */
  readonly environment: LocalEnvironment;
  /** The secrets files of a Kamal 2 project. Without them, `environment` has the secrets. */
  readonly kamalSecrets: KamalSecrets | undefined;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

/**
 * The variables of a project: of `.kamal/secrets*` and the process in a Kamal 2 project, otherwise of `.env` and the process.
 * @throws ConfigError naming every file that cannot be read
 */
export async function openVariables(project: Project): Promise<ProjectVariables> {
  const { cwd, destination, processEnvironment } = project;
  if (destination !== undefined) checkDestination(destination);
  const { path, used, note } = await findSecrets(project);
  if (used) {
    const kamalSecrets = await read(project, path);
    const environment = processAlone(project);
    return { environment, kamalSecrets, notes: kamalSecrets.notes };
  }
  const environment = await loadEnvironment({ cwd, destination, processEnvironment });
  if (destination !== undefined) environment.assign("KAMAL_DESTINATION", destination);
  return { environment, kamalSecrets: undefined, notes: [...(note === undefined ? [] : [note]), ...environment.notes] };
}

/** The secrets files of a project, for `mrsk secrets print`. @throws ConfigError if a file cannot be read */
export async function openKamalSecrets(project: Project): Promise<KamalSecrets> {
  return read(project, (await findSecrets(project)).path);
}

/** MRSK's projects do not load the module. */
async function read(project: Project, path: string): Promise<KamalSecrets> {
  const { KamalSecrets: Files } = await import("./kamal-secrets.ts");
  return new Files({ ...project, path, processEnvironment: withKamal(project.processEnvironment) });
}

interface Found {
  /** `secrets_path`. */
  readonly path: string;
  /** Whether the secrets are in these files. */
  readonly used: boolean;
  readonly note?: string;
}

/** Reads the configuration only if the files of the project do not decide: MRSK's projects have no `.kamal/secrets`. */
async function findSecrets(project: Project): Promise<Found> {
  const { cwd, destination } = project;
  const text = configurationText(project);
  const envFile = existsSync(resolve(cwd, ".env")) || existsSync(resolve(cwd, `.env.${destination ?? "none"}`));
  const named = /(?:^|[\s{,])["']?secrets_path["']?\s*:/.test(text);
  const byDefault = hasSecretsFile(cwd, KAMAL2.secretsPath);
  if (!named && byDefault && !envFile) return { path: KAMAL2.secretsPath, used: true };
  // The note alone is no reason to evaluate a template twice.
  const forNote = /(?:^|[\s{,])["']?(?:arch|proxy)["']?\s*:/.test(text) && !text.includes("<%");
  if (!named && !byDefault && !forNote) return { path: KAMAL2.secretsPath, used: false };
  const written = await writtenKeys({ ...project, environment: processAlone(project) });
  const path = typeof written?.["secrets_path"] === "string" ? written["secrets_path"] : KAMAL2.secretsPath;
  if (!written || eraOf(written, cwd).generation === 1) return { path, used: false };
  if (hasSecretsFile(cwd, path)) return { path, used: true };
  if (!envFile) return { path, used: false };
  const missing = secretsFiles(path, destination).join(" nor ");
  return { path, used: false, note: `This is a Kamal 2 project with neither ${missing}: secrets are read from .env.` };
}

/** Both files as written, for a quick search; a file that cannot be read is reported later. */
function configurationText({ cwd, file, destination }: Project): string {
  const files = [file, ...(destination === undefined ? [] : [destinationFile(file, destination)])];
  return files
    .map((name) => {
      try {
        return readFileSync(resolve(cwd, name), "utf8");
      } catch {
        return "";
      }
    })
    .join("\n");
}

/** Whether a file with secrets of any destination exists. An example does not count. */
function hasSecretsFile(cwd: string, path: string): boolean {
  const base = basename(path);
  try {
    return readdirSync(dirname(resolve(cwd, path))).some(
      (name) =>
        (name === base || name === `${base}-common` || name.startsWith(`${base}.`)) &&
        !/(?:[.-](?:example|sample|template|erb|bak|orig|swp)|~)$/.test(name),
    );
  } catch {
    return false;
  }
}

/** The process' variables and Kamal's KAMAL_DESTINATION. */
function processAlone({ cwd, destination, processEnvironment }: Project): LocalEnvironment {
  const environment = new LocalEnvironment(cwd, processEnvironment);
  environment.assign("KAMAL_DESTINATION", destination);
  return environment;
}
