import { accessSync, constants, existsSync } from "node:fs";
import { resolve } from "node:path";
import { lines, sh } from "../script/command.ts";
import { script, step } from "../script/script.ts";
import { CommandFailedError, HookFailedError } from "../errors.ts";
import { lineByLine } from "../lines.ts";
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
] as const;
export type HookName = (typeof HOOKS)[number];

/** Whether the hook exists, and `-H` does not skip it. */
export function hasHook(run: Run, hook: HookName): boolean {
  return !run.skipHooks && existsSync(resolve(run.cwd, `${run.config.hooksPath}/${hook}`));
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
  const path = `${run.config.hooksPath}/${hook}`;
  if (!hasHook(run, hook)) return;
  stopIfInterrupted(run);
  requireExecutable(run, hook, path);
  run.report({ kind: "title", text: `Running the ${hook} hook...` });
  const variables = withKamalNames({ ...(await hookVariables(run, version)), ...details });
  const exports = Object.entries(variables).map(([name, value]) => sh`export ${name}=${value}`);
  const body = lines(...exports, sh`exec /usr/bin/env ${path}`);
  const show = () => lineByLine((text) => run.report({ kind: "progress", host: run.local.name, text: `${text}\n` }));
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
  return {
    MRSK_RECORDED_AT: timestamp(run.clock.now()),
    MRSK_PERFORMER: await run.performer(),
    ...(config.destination === undefined ? {} : { MRSK_DESTINATION: config.destination }),
    MRSK_VERSION: version,
    MRSK_SERVICE_VERSION: `${config.service}@${abbreviated(version)}`,
    MRSK_HOSTS: selection.app.map(({ host }) => host).join(","),
    MRSK_COMMAND: run.command[0] ?? "",
    ...(run.command[1] === undefined ? {} : { MRSK_SUBCOMMAND: run.command[1] }),
    ...(run.filters.roles ? { MRSK_ROLE: run.filters.roles.join(",") } : {}),
  };
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
