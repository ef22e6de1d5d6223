import { resolve } from "node:path";
import {
  BUILD_STEP,
  type BuildChoice,
  buildAndPush,
  buildStep,
  dirtyImages,
  LOCAL_OUTPUT,
  pushesByItself,
} from "../../commands/build.ts";
import { checkOut, cloneFolder, projectIn } from "../../commands/checkout.ts";
import { type Body, lines, raw, type Shell, sh } from "../../script/command.ts";
import { type Script, script, type Step, step } from "../../script/script.ts";
import type { Secret } from "../../config/env/secret.ts";
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
export async function deliver(run: Run, { noCache }: Pick<BuildChoice, "noCache"> = {}): Promise<void> {
  await refuseTrackedSecrets(run);
  await withLock(run, async () => {
    const version = await resolveRequestedVersion(run);
    await push(run, version, { secretsChecked: true, noCache });
    await fetchImage(run, version);
  });
}

/** `build pull`. */
export async function pull(run: Run): Promise<void> {
  await withLock(run, async () => fetchImage(run, await resolveRequestedVersion(run)));
}

interface Typed extends Pick<BuildChoice, "noCache"> {
  /** As typed: `registry`, `docker`, `local,dest=FOLDER` and so on. */
  readonly output: string;
}

/** `build push`. */
export async function pushImage(run: Run, { output = "registry", noCache }: Partial<Typed> = {}): Promise<void> {
  await refuseTrackedSecrets(run);
  const choice = { noCache, output: output === "registry" ? undefined : dockerOutput(output, run.cwd) };
  await withLock(run, async () => push(run, await resolveRequestedVersion(run), { secretsChecked: true, ...choice }));
}

/** `build dev`: builds the working directory as it is, into the engine of this machine. Connects to no server. */
export async function buildDev(run: Run, { output, noCache }: Typed): Promise<void> {
  await refuseTrackedSecrets(run);
  const names = dirtyImages(run.config, await run.requestedVersion());
  const { changes } = await run.git();
  if (changes.length > 0) {
    const text = `These paths have uncommitted changes, and may be in the image: ${someOf(changes)}`;
    run.report({ kind: "warning", text });
  }
  await ensureBuilder(run, Promise.resolve());
  const choice = { noCache, output: dockerOutput(output, run.cwd) };
  const building = buildStep(run.config, names, await buildSecrets(run), choice);
  try {
    await runHere(run, buildScript(run, undefined, [building]));
  } catch (error) {
    throw buildError(run, undefined, error, "built");
  }
  const where = choice.output === LOCAL_OUTPUT ? "" : ` (${output})`;
  run.report({ kind: "note", text: `Built ${names.join(" and ")}${where}` });
}

/** The value of docker's `--output`. Its paths are relative to the project, but the build may run in a clone. */
function dockerOutput(typed: string, cwd: string): string {
  const parts = typed.split(",").map((part) => {
    const [, path] = /^dest=(.+)$/.exec(part) ?? [];
    return path === undefined || path === "-" ? part : `dest=${resolve(cwd, path)}`;
  });
  const [first = ""] = parts;
  return first.includes("=") ? parts.join(",") : `type=${parts.join(",")}`;
}

interface PushOptions extends BuildChoice {
  /** Checks that must succeed before a change outside of this machine (push, builder, hook). If they fail, none happens. */
  readonly checks?: Promise<unknown>;
  /** Whether `ensureBuilder` was called. */
  readonly builderIsReady?: boolean;
  /** Whether `refuseTrackedSecrets` was called. */
  readonly secretsChecked?: boolean;
}

/**
 * Builds on this machine and pushes.
 * @throws MrskError without docker, buildx or a Dockerfile here
 */
export async function push(
  run: Run,
  version: string,
  { checks = Promise.resolve(), builderIsReady = false, secretsChecked = false, ...choice }: PushOptions = {},
): Promise<void> {
  if (!secretsChecked) await refuseTrackedSecrets(run);
  await withLock(run, async () => {
    const { revision, changes } = await builtRevision(run);
    if (changes.length > 0) run.report({ kind: "warning", text: notBuilt(changes) });
    // Do not wait if the build stays in docker's own engine: a hook may do anything, and a builder may have to be created.
    // Docker is checked only if the build fails.
    const immediately = !pushesByItself(run.config) && !hasHook(run, "pre-build");
    if (!immediately) {
      if (!builderIsReady) await ensureBuilder(run, checks);
      await checks;
      await runHook(run, "pre-build", version);
    }
    try {
      await build(run, { version, revision, checks, choice });
    } catch (error) {
      if (immediately && error instanceof CommandFailedError && error.stepId === BUILD_STEP)
        await ensureBuilder(run, checks);
      if (!requiresLogin(error)) throw buildError(run, revision, error);
      run.report({ kind: "note", text: "The registry requires a login" });
      await login(run, { skipRemote: true });
      await build(run, { version, revision, checks, choice }).catch((again: unknown) => {
        throw buildError(run, revision, again);
      });
    }
  });
}

const MAX_PATHS = 10;

function notBuilt(changes: readonly string[]): string {
  return `These paths have uncommitted changes, which will not be in the image: ${someOf(changes)}`;
}

function someOf(paths: readonly string[]): string {
  const more = paths.length > MAX_PATHS ? ` and ${paths.length - MAX_PATHS} more` : "";
  return `${paths.slice(0, MAX_PATHS).join(", ")}${more}`;
}

interface Build extends Required<Pick<PushOptions, "checks">> {
  readonly version: string;
  /** The commit to build; undefined: the folder as it is. */
  readonly revision: string | undefined;
  readonly choice: BuildChoice;
}

async function build(run: Run, { version, revision, checks, choice }: Build): Promise<void> {
  const steps = buildAndPush(run.config, version, await buildSecrets(run), choice);
  const pushing = pushesByItself(run.config) ? [] : steps.slice(1);
  await runHere(run, buildScript(run, revision, steps.slice(0, steps.length - pushing.length)));
  await checks;
  if (pushing.length > 0) await runHere(run, script("Push", pushing));
}

function buildSecrets(run: Run): Promise<ReadonlyMap<string, Secret>> {
  return run.secrets.resolve(run.config.builder.secrets.map((name) => ({ name, requiredBy: "builder/secrets" })));
}

/** Runs the script on this machine, and shows its output. */
async function runHere(run: Run, work: Script): Promise<void> {
  await run.local.run(work, {
    signal: run.signal,
    onOutput: ({ masked }) => run.report({ kind: "progress", host: "localhost", text: masked }),
  });
}

/** Builds a clone of the commit, which is removed in any case; without a revision, the folder as it is. */
function buildScript(run: Run, revision: string | undefined, steps: readonly Step[]): Script {
  const { builder, service } = run.config;
  const exists = sh`[ -f ${builder.dockerfile} ]`;
  const dockerfile = isRemote(builder.context) ? [] : [exists];
  if (revision === undefined) {
    const visible = visibleToDocker(raw('"$(pwd -P)"'));
    return script("Build", [...dockerfile.map((body) => inspectStep(lines(visible, body))), ...steps]);
  }
  const clone = cloneFolder(service, run.newId(16));
  const inside = [...dockerfile.map(inspectStep), ...steps].map((one) => ({
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
