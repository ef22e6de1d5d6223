import { BUILD_STEP, buildAndPush, pushesByItself } from "../commands/build.ts";
import { checkOut, cloneFolder, projectIn } from "../commands/checkout.ts";
import { type Body, type Shell, sh } from "../commands/command.ts";
import { type Script, script, type Step, step } from "../commands/script.ts";
import { CommandFailedError, ConfigError, ExitCode, MrskError } from "../errors.ts";
import { ensureBuilder } from "./builder.ts";
import { hasHook, runHook } from "./hook.ts";
import { fetchImage } from "./image.ts";
import { runOfSoughtVersion } from "./known-version.ts";
import { withLock } from "./lock.ts";
import { isUnauthorized, isUnreachable, login } from "./registry.ts";
import type { Run } from "./run.ts";
import { builtRevision } from "./git.ts";

const CLONE_STEP = "Clone the commit";
const LOOK_STEP = "Look for the Dockerfile";

/** `build deliver`. */
export async function deliver(run: Run): Promise<void> {
  await withLock(run, async () => {
    const known = await runOfSoughtVersion(run);
    await push(known);
    await fetchImage(known);
  });
}

/** `build pull`. */
export async function pull(run: Run): Promise<void> {
  await withLock(run, async () => fetchImage(await runOfSoughtVersion(run)));
}

/** `build push`. */
export async function pushAlone(run: Run): Promise<void> {
  await withLock(run, async () => push(await runOfSoughtVersion(run)));
}

interface PushOptions {
  /** What has to be done before anything is seen outside of this machine; rejected, nothing is. */
  readonly clear?: Promise<unknown>;
  /** Whether `ensureBuilder` was called. */
  readonly builderIsReady?: boolean;
}

/**
 * Builds on this machine and pushes.
 * @throws MrskError without docker, buildx or a Dockerfile here
 */
export async function push(
  run: Run,
  { clear = Promise.resolve(), builderIsReady = false }: PushOptions = {},
): Promise<void> {
  await withLock(run, async () => {
    const { revision, changes } = await builtRevision(run);
    if (changes.length > 0) run.report({ kind: "warning", text: notBuilt(changes) });
    // A hook may do anything, and a builder may have to be made; docker's own engine is there, or is missed when it fails.
    const atOnce = !pushesByItself(run.config) && !hasHook(run, "pre-build");
    if (!atOnce) {
      if (!builderIsReady) await ensureBuilder(run, clear);
      await clear;
      await runHook(run, "pre-build");
    }
    try {
      await build(run, revision, clear);
    } catch (error) {
      if (atOnce && error instanceof CommandFailedError && error.step === BUILD_STEP) await ensureBuilder(run, clear);
      if (!wantsLogin(error)) throw explained(run, revision, error);
      run.report({ kind: "note", text: "The registry wants a login first" });
      await login(run, { skipRemote: true });
      await build(run, revision, clear).catch((again: unknown) => {
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

async function build(run: Run, revision: string | undefined, clear: Promise<unknown>): Promise<void> {
  const running = (work: Script) =>
    run.local.run(work, {
      signal: run.signal,
      onOutput: ({ masked }) => run.report({ kind: "progress", host: "localhost", text: masked }),
    });
  const needs = run.config.builder.secrets.map((name) => ({ name, askedBy: "builder/secrets" }));
  const steps = buildAndPush(run.config, await run.version(), await run.secrets.resolve(needs));
  const pushing = pushesByItself(run.config) ? [] : steps.slice(1);
  await running(buildScript(run, revision, steps.slice(0, steps.length - pushing.length)));
  await clear;
  if (pushing.length > 0) await running(script("Push", pushing));
}

/** Of a clone of the commit, which is removed however the build ends; without one of the folder as it is. */
function buildScript(run: Run, revision: string | undefined, steps: readonly Step[]): Script {
  const { builder, service } = run.config;
  const look = isElsewhere(builder.context) ? [] : [step(LOOK_STEP, sh`[ -f ${builder.dockerfile} ]`)];
  if (revision === undefined) return script("Build", [...look, ...steps]);
  const clone = cloneFolder(service, run.newId(16));
  const inside = [...look, ...steps].map(({ name, body }) => step(name, within(projectIn(clone), body)));
  return script("Build", [step(CLONE_STEP, checkOut(revision, clone)), ...inside], sh`rm -rf ${clone}`);
}

function within(folder: Shell, body: Body): Shell {
  return sh`cd ${folder}
${body}`;
}

/** Whether docker fetches the context itself, Dockerfile and all. */
function isElsewhere(context: string): boolean {
  return /^(?:(?:https?|ssh|git):\/\/|git@|github\.com\/)/.test(context);
}

/** Whether docker itself says so: the Dockerfile's own steps may print anything. */
function wantsLogin(error: unknown): error is CommandFailedError {
  return error instanceof CommandFailedError && isUnauthorized(lastWords(error));
}

/** Of a build only what docker says in the end. */
function lastWords({ step: name, output }: CommandFailedError): string {
  const lines = output.trimEnd().split("\n");
  if (name !== BUILD_STEP) return output;
  const said = [...lines.filter((line) => /^error:/i.test(line)), lines.at(-1)!];
  // That a step failed is told with the step's own words.
  return said.filter((line) => !/did not complete successfully|executor failed running/.test(line)).join("\n");
}

function explained(run: Run, revision: string | undefined, error: unknown): unknown {
  if (!(error instanceof CommandFailedError)) return error;
  if (error.step === LOOK_STEP) return missingDockerfile(run, revision);
  if (error.step === CLONE_STEP) return notCloned(error, revision!);
  const what = error.step === BUILD_STEP ? "built and pushed" : "pushed";
  return new MrskError(
    ExitCode.remote,
    `The image could not be ${what} (exit status ${error.status})\n${error.output}`,
    {
      hint: hintFor(run, lastWords(error)),
      cause: error,
    },
  );
}

function notCloned(error: CommandFailedError, revision: string): MrskError {
  const partial = /promisor remote/.test(error.output);
  return new MrskError(
    ExitCode.remote,
    `The commit ${revision.slice(0, 7)} could not be checked out for the build\n${error.output}`,
    {
      hint: partial
        ? "This repository is a partial clone: let git reach its remote, or clone it without --filter (actions/checkout: without filter and sparse-checkout)."
        : undefined,
      cause: error,
    },
  );
}

function missingDockerfile(run: Run, revision: string | undefined): ConfigError {
  const { dockerfile } = run.config.builder;
  if (revision === undefined) {
    return new ConfigError([`Missing ${dockerfile}`], { hint: "Write it, or name another with builder.dockerfile." });
  }
  return new ConfigError([`Missing ${dockerfile} in the commit ${revision.slice(0, 7)}, which is what is built`], {
    hint: "Commit it, name another with builder.dockerfile, or set builder.context: . to build the folder as it is.",
  });
}

function hintFor(run: Run, said: string): string | undefined {
  const registry = run.config.registry.server ?? "Docker Hub";
  if (isUnauthorized(said))
    return `${registry} refused: check registry/username, registry/password and the image's name.`;
  if (isUnreachable(said)) return `See whether ${registry} answers from this machine.`;
  if (/requires BuildKit|BuildKit is (?:enabled but|required)/i.test(said)) {
    return "Install buildx (package docker-buildx-plugin or docker-buildx), or set DOCKER_BUILDKIT=1 where docker is older than 23.";
  }
  return undefined;
}
