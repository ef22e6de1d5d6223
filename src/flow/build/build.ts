import { BUILD_STEP, buildAndPush, pushesByItself } from "../../commands/build.ts";
import { checkOut, cloneFolder, projectIn } from "../../commands/checkout.ts";
import { type Body, lines, raw, type Shell, sh } from "../../script/command.ts";
import { type Script, script, type Step, step } from "../../script/script.ts";
import { visibleToDocker } from "../../commands/snap.ts";
import { CommandFailedError } from "../../errors.ts";
import { CLONE_STEP, explained, INSPECT_STEP, wantsLogin } from "./errors.ts";
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
  /** What has to be done before anything is seen outside of this machine; rejected, nothing is. */
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
    // A hook may do anything, and a builder may have to be made; docker's own engine is there, or is missed when it fails.
    const atOnce = !pushesByItself(run.config) && !hasHook(run, "pre-build");
    if (!atOnce) {
      if (!builderIsReady) await ensureBuilder(run, clear);
      await clear;
      await runHook(run, "pre-build", version);
    }
    try {
      await build(run, { version, revision, clear });
    } catch (error) {
      if (atOnce && error instanceof CommandFailedError && error.stepId === BUILD_STEP) await ensureBuilder(run, clear);
      if (!wantsLogin(error)) throw explained(run, revision, error);
      run.report({ kind: "note", text: "The registry wants a login first" });
      await login(run, { skipRemote: true });
      await build(run, { version, revision, clear }).catch((again: unknown) => {
        throw explained(run, revision, again);
      });
    }
  });
}

const MOST_PATHS = 10;

function notBuilt(changes: readonly string[]): string {
  const more = changes.length > MOST_PATHS ? ` and ${changes.length - MOST_PATHS} more` : "";
  const paths = changes.slice(0, MOST_PATHS).join(", ");
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

/** Of a clone of the commit, which is removed however the build ends; without one of the folder as it is. */
function buildScript(run: Run, revision: string | undefined, steps: readonly Step[]): Script {
  const { builder, service } = run.config;
  const isThere = sh`[ -f ${builder.dockerfile} ]`;
  const look = isElsewhere(builder.context) ? [] : [isThere];
  if (revision === undefined) {
    const visible = visibleToDocker(raw('"$(pwd -P)"'));
    return script("Build", [...look.map((body) => inspectStep(lines(visible, body))), ...steps]);
  }
  const clone = cloneFolder(service, run.newId(16));
  const inside = [...look.map(inspectStep), ...steps].map((one) => ({
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

/** Whether docker fetches the context itself, Dockerfile and all. */
function isElsewhere(context: string): boolean {
  return /^(?:(?:https?|ssh|git):\/\/|git@|github\.com\/)/.test(context);
}
