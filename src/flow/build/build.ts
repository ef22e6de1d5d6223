import { BUILD_STEP, buildAndPush, pushesByItself } from "../../commands/build.ts";
import { checkOut, cloneFolder, projectIn } from "../../commands/checkout.ts";
import { type Body, lines, raw, type Shell, sh } from "../../script/command.ts";
import { type Script, script, type Step, step } from "../../script/script.ts";
import { visibleToDocker } from "../../commands/snap.ts";
import { CommandFailedError } from "../../errors.ts";
import { buildError, CLONE_STEP, INSPECT_STEP, requiresLogin } from "./errors.ts";
import { ensureBuilder } from "./builder.ts";
import { builtRevision } from "./git.ts";
import { hasHook, runHook } from "../hook.ts";
import { fetchImage } from "../image.ts";
import { resolveRequestedVersion } from "../resolve-version.ts";
import { withLock } from "../lock.ts";
import { login } from "../registry.ts";
import type { Run } from "../run.ts";
import { refuseTrackedSecrets } from "./tracked-env.ts";

/** `build deliver`. */
export async function deliver(run: Run): Promise<void> {
  await refuseTrackedSecrets(run);
  await withLock(run, async () => {
    const version = await resolveRequestedVersion(run);
    await push(run, version, { checked: true });
    await fetchImage(run, version);
  });
}

/** `build pull`. */
export async function pull(run: Run): Promise<void> {
  await withLock(run, async () => fetchImage(run, await resolveRequestedVersion(run)));
}

/** `build push`. */
export async function pushImage(run: Run): Promise<void> {
  await refuseTrackedSecrets(run);
  await withLock(run, async () => push(run, await resolveRequestedVersion(run), { checked: true }));
}

interface PushOptions {
  /** Checks that must succeed before a change outside of this machine (push, builder, hook). If they fail, none happens. */
  readonly clear?: Promise<unknown>;
  /** Whether `ensureBuilder` was called. */
  readonly builderIsReady?: boolean;
  /** Whether `refuseTrackedSecrets` was called. */
  readonly checked?: boolean;
}

/**
 * Builds on this machine and pushes.
 * @throws MrskError without docker, buildx or a Dockerfile here
 */
export async function push(
  run: Run,
  version: string,
  { clear = Promise.resolve(), builderIsReady = false, checked = false }: PushOptions = {},
): Promise<void> {
  if (!checked) await refuseTrackedSecrets(run);
  await withLock(run, async () => {
    const { revision, changes } = await builtRevision(run);
    if (changes.length > 0) run.report({ kind: "warning", text: notBuilt(changes) });
    // Do not wait if the build stays in docker's own engine: a hook may do anything, and a builder may have to be created.
    // Docker is checked only if the build fails.
    const immediately = !pushesByItself(run.config) && !hasHook(run, "pre-build");
    if (!immediately) {
      if (!builderIsReady) await ensureBuilder(run, clear);
      await clear;
      await runHook(run, "pre-build", version);
    }
    try {
      await build(run, { version, revision, clear });
    } catch (error) {
      if (immediately && error instanceof CommandFailedError && error.stepId === BUILD_STEP)
        await ensureBuilder(run, clear);
      if (!requiresLogin(error)) throw buildError(run, revision, error);
      run.report({ kind: "note", text: "The registry requires a login" });
      await login(run, { skipRemote: true });
      await build(run, { version, revision, clear }).catch((again: unknown) => {
        throw buildError(run, revision, again);
      });
    }
  });
}

const MAX_PATHS = 10;

function notBuilt(changes: readonly string[]): string {
  const more = changes.length > MAX_PATHS ? ` and ${changes.length - MAX_PATHS} more` : "";
  const paths = changes.slice(0, MAX_PATHS).join(", ");
  return `These paths have uncommitted changes, which will not be in the image: ${paths}${more}`;
}

interface Build extends Required<Pick<PushOptions, "clear">> {
  readonly version: string;
  /** The commit to build; undefined: the folder as it is. */
  readonly revision: string | undefined;
}

async function build(run: Run, { version, revision, clear }: Build): Promise<void> {
  const running = (work: Script) =>
    run.local.run(work, {
      signal: run.signal,
      onOutput: ({ masked }) => run.report({ kind: "progress", host: "localhost", text: masked }),
    });
  const needs = run.config.builder.secrets.map((name) => ({ name, requiredBy: "builder/secrets" }));
  const steps = buildAndPush(run.config, version, await run.secrets.resolve(needs));
  const pushing = pushesByItself(run.config) ? [] : steps.slice(1);
  await running(buildScript(run, revision, steps.slice(0, steps.length - pushing.length)));
  await clear;
  if (pushing.length > 0) await running(script("Push", pushing));
}

/** Builds a clone of the commit, which is removed in any case; without a revision, the folder as it is. */
function buildScript(run: Run, revision: string | undefined, steps: readonly Step[]): Script {
  const { builder, service } = run.config;
  const exists = sh`[ -f ${builder.dockerfile} ]`;
  const checks = isRemote(builder.context) ? [] : [exists];
  if (revision === undefined) {
    const visible = visibleToDocker(raw('"$(pwd -P)"'));
    return script("Build", [...checks.map((body) => inspectStep(lines(visible, body))), ...steps]);
  }
  const clone = cloneFolder(service, run.newId(16));
  const inside = [...checks.map(inspectStep), ...steps].map((one) => ({
    ...one,
    body: within(projectIn(clone), one.body),
  }));
  const cloning = step("Clone the commit", checkOut(revision, clone), CLONE_STEP);
  return script("Build", [cloning, ...inside], sh`rm -rf ${clone}`);
}

function inspectStep(body: Shell): Step {
  return step("Find the Dockerfile", body, INSPECT_STEP);
}

function within(folder: Shell, body: Body): Shell {
  return sh`cd ${folder} || exit
${body}`;
}

/** Whether docker fetches the context itself, Dockerfile included. */
function isRemote(context: string): boolean {
  return /^(?:(?:https?|ssh|git):\/\/|git@|github\.com\/)/.test(context);
}
