import { accessSync, constants, existsSync } from "node:fs";
import { resolve } from "node:path";
import { DEFAULTS, KAMAL2 } from "../config/defaults.ts";
import { Secret } from "../config/env/secret.ts";
import { tooLong } from "../config/limits.ts";
import { lines, type Shell, sh } from "../script/command.ts";
import { attempt, script, step } from "../script/script.ts";
import { CommandFailedError, HookFailedError, MrskError } from "../errors.ts";
import { kamalProgram } from "../kamal-program.ts";
import { lineByLine } from "../lines.ts";
import { accessoryHosts } from "../plan/select.ts";
import { type Run, stopIfInterrupted } from "./run.ts";

export const HOOKS = [
  "pre-connect",
  "pre-build",
  "pre-deploy",
  "post-deploy",
  "docker-setup",
  "pre-traefik-reboot",
  "post-traefik-reboot",
  "pre-app-boot",
  "post-app-boot",
  "pre-proxy-reboot",
  "post-proxy-reboot",
] as const;
export type HookName = (typeof HOOKS)[number];

/** Kamal 2's names of hooks: both run. */
const KAMAL_NAMES: Readonly<Partial<Record<HookName, HookName>>> = {
  "pre-traefik-reboot": "pre-proxy-reboot",
  "post-traefik-reboot": "post-proxy-reboot",
};

export const DEFAULT_FOLDERS: readonly string[] = [DEFAULTS.hooksPath, KAMAL2.hooksPath];

/** The folders of the hooks, relative to the working directory. A hook of the first folder hides one of the second. */
export function hookFolders(run: Run): readonly string[] {
  const { hooksPath } = run.config;
  return hooksPath === DEFAULTS.hooksPath ? DEFAULT_FOLDERS : [hooksPath];
}

/** The files of that hook, the one that runs first. */
function hookFiles(run: Run, hook: HookName): string[] {
  if (run.skipHooks) return [];
  return hookFolders(run)
    .map((folder) => `${folder}/${hook}`)
    .filter((path) => existsSync(resolve(run.cwd, path)));
}

/** Whether the hook exists, and `-H` does not skip it. */
export function hasHook(run: Run, hook: HookName): boolean {
  return namesOf(hook).some((name) => hookFiles(run, name).length > 0);
}

function namesOf(hook: HookName): HookName[] {
  const other = KAMAL_NAMES[hook];
  return other === undefined ? [hook] : [hook, other];
}

/**
 * Runs the hook on this machine if the file exists, with MRSK's `MRSK_…` variables and Kamal's names of them. Shows its
 * output line by line as it comes.
 * @param version the version that the command acts on: `MRSK_VERSION`
 * @param details more variables, `MRSK_RUNTIME` for instance
 * @throws HookFailedError if it exits with another status than 0, or is not executable
 */
export async function runHook(
  run: Run,
  hook: HookName,
  version: string,
  details: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const name of namesOf(hook)) {
    const [path, hidden] = hookFiles(run, name);
    if (path === undefined) continue;
    if (hidden !== undefined) {
      run.report({ kind: "note", text: `${path} runs, and hides ${hidden}` });
    }
    await runFile(run, name, path, { version, details });
  }
}

async function runFile(
  run: Run,
  hook: HookName,
  path: string,
  { version, details }: { version: string; details: Readonly<Record<string, string>> },
): Promise<void> {
  stopIfInterrupted(run);
  requireExecutable(run, hook, path);
  run.report({ kind: "title", text: `Running the ${hook} hook...` });
  const variables = {
    ...withKamalNames(await hookVariables(run, version)),
    ...(isOfKamal2(run, path) ? await kamalVariables(run) : {}),
    ...withKamalNames(details),
    ...lockVariables(run),
  };
  const exports = [...Object.entries(variables), ...(WITH_SECRETS.has(hook) ? await secretVariables(run) : [])].map(
    ([name, value]) => sh`export ${name}=${value}`,
  );
  const body = lines(...pathWithKamal(), ...exports, sh`exec /usr/bin/env ${path}`);
  const show = () =>
    lineByLine((text) => {
      if (!isQuiet(run, hook)) run.report({ kind: "progress", host: run.local.name, text: `${text}\n` });
    });
  const output = { stdout: show(), stderr: show() };
  try {
    await run.local.run(script(`${hook} hook`, [step(`Hook ${hook}`, body)]), {
      signal: run.signal,
      onOutput: ({ stream, masked }) => output[stream].add(masked),
    });
  } catch (error) {
    if (error instanceof CommandFailedError) throw new HookFailedError(hook, error.output);
    throw error;
  } finally {
    output.stdout.end();
    output.stderr.end();
  }
}

/** Runs a hook with the requested version, which a project without git and without the hook does not need to have. */
export async function runHookOfRequest(
  run: Run,
  hook: HookName,
  details: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (hasHook(run, hook)) await runHook(run, hook, await run.requestedVersion(), details);
}

/** Whether `hooks_output` hides the output. The report itself decides with -q and -v. */
function isQuiet({ config: { hooksOutput } }: Run, hook: HookName): boolean {
  return (hooksOutput.byHook.get(hook) ?? hooksOutput.all) === "quiet";
}

/** @throws HookFailedError */
function requireExecutable(run: Run, hook: HookName, path: string): void {
  try {
    accessSync(resolve(run.cwd, path), constants.X_OK);
  } catch {
    throw new HookFailedError(hook, `${path} is not executable`, { hint: `chmod +x ${path}` });
  }
}

/** Runs a hook after the work. Skips it with a warning if the run was interrupted too late to revert. */
export async function hookAfterwards(
  run: Run,
  hook: HookName,
  version: string,
  details: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (!run.signal.aborted) return runHook(run, hook, version, details);
  const skipped = hasHook(run, hook) ? ` The ${hook} hook was skipped.` : "";
  run.report({ kind: "warning", text: `Interrupted after the switch: the run was completed.${skipped}` });
}

async function hookVariables(run: Run, version: string): Promise<Record<string, string>> {
  const { config, selection } = run;
  const roles = run.filters.roles?.join(",");
  return {
    MRSK_RECORDED_AT: timestamp(run.clock.now()),
    MRSK_PERFORMER: await run.performer(),
    ...(config.destination === undefined ? {} : { MRSK_DESTINATION: config.destination }),
    MRSK_SERVICE: config.service,
    MRSK_VERSION: version,
    MRSK_SERVICE_VERSION: `${config.service}@${abbreviated(version)}`,
    MRSK_HOSTS: selection.app.map(({ host }) => host).join(","),
    MRSK_LOCK: String(run.held.lock),
    MRSK_COMMAND: run.command[0] ?? "",
    ...(run.command[1] === undefined ? {} : { MRSK_SUBCOMMAND: run.command[1] }),
    ...(roles === undefined ? {} : { MRSK_ROLE: roles, MRSK_ROLES: roles }),
  };
}

/** Whether the hook expects Kamal 2's meaning of the variables. */
function isOfKamal2(run: Run, path: string): boolean {
  return run.kamalSecrets !== undefined || path.startsWith(`${KAMAL2.hooksPath}/`);
}

/** The variables whose meaning differs in Kamal 2: the hosts of accessories count, and the performer is git's e-mail. */
async function kamalVariables(run: Run): Promise<Record<string, string>> {
  const { config, filters, selection } = run;
  const accessories = filters.primary || filters.roles ? [] : config.accessories;
  const hosts = [
    ...selection.app.map(({ host }) => host),
    ...accessories.flatMap((accessory) => accessoryHosts(accessory, filters)),
  ];
  const email = attempt("E-mail", ["git", "config", "user.email"], "email");
  const performer = (await run.local.run(script("Git", [email]))).text("email");
  return {
    KAMAL_HOSTS: [...new Set(hosts)].join(","),
    ...(performer === "" ? {} : { KAMAL_PERFORMER: performer }),
  };
}

/** For commands that the hook runs. */
export const LOCK_ID = "MRSK_LOCK_ID";

function lockVariables({ held }: Run): Record<string, string> {
  return held.lockId === undefined ? {} : { [LOCK_ID]: held.lockId };
}

/** The hooks that get the secrets of a Kamal 2 project. */
const WITH_SECRETS: ReadonlySet<HookName> = new Set(["pre-connect", "pre-deploy", "post-deploy"]);

/** The secrets whose failure was reported. */
const reported = new WeakSet<object>();

/** A value that fails is left out, as in Kamal: the hook may not need it. */
async function secretVariables(run: Run): Promise<(readonly [string, Secret])[]> {
  const { kamalSecrets } = run;
  if (!kamalSecrets) return [];
  const { values, failures } = await kamalSecrets.evaluateAll();
  for (const error of failures) {
    if (!(error instanceof MrskError)) throw error;
    if (!reported.has(error))
      run.report({ kind: "warning", text: `Not in the environment of hooks: ${error.message}` });
    reported.add(error);
  }
  return [...values]
    .filter(([name, value]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !tooLong(`${name}=${value}`))
    .map(([name, value]) => [name, new Secret(name, value)]);
}

/** A hook that runs `kamal` runs this program. */
function pathWithKamal(): Shell[] {
  const program = kamalProgram();
  if (!program) return [];
  return [
    sh`export PATH=${program.folder}:"$PATH"`,
    ...Object.entries(program.node).map(([name, value]) => sh`export ${name}=${value}`),
  ];
}

/** Adds each `MRSK_NAME` as `KAMAL_NAME`. */
function withKamalNames(variables: Readonly<Record<string, string>>): Record<string, string> {
  const kamal = Object.entries(variables).map(([name, value]) => [name.replace(/^MRSK_/, "KAMAL_"), value] as const);
  return { ...variables, ...Object.fromEntries(kamal) };
}

/** UTC without fractions: `2023-06-01T12:00:00Z`. */
export function timestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** The first seven characters; the whole version if it contains `_` (uncommitted changes). */
function abbreviated(version: string): string {
  return version.includes("_") ? version : version.slice(0, 7);
}
