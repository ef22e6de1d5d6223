import { BUILD_STEP } from "../../commands/build.ts";
import { NOT_VISIBLE } from "../../commands/snap.ts";
import { CommandFailedError, ConfigError, ExitCode, MrskError } from "../../errors.ts";
import { isUnauthorized, isUnreachable } from "../registry.ts";
import type { Run } from "../run.ts";

/** Ids of steps. */
export const CLONE_STEP = "clone-commit";
export const INSPECT_STEP = "find-dockerfile";

/** Whether docker itself says so: the Dockerfile's own steps and git may print anything. */
export function wantsLogin(error: unknown): error is CommandFailedError {
  return error instanceof CommandFailedError && !isOfOurs(error) && isUnauthorized(lastWords(error));
}

/** Of a build only what docker says in the end. */
function lastWords({ stepId, output }: CommandFailedError): string {
  const lines = output.trimEnd().split("\n");
  if (stepId !== BUILD_STEP) return output;
  const said = [...lines.filter((line) => /^error:/i.test(line)), lines.at(-1)!];
  // That a step failed is told with the step's own words.
  return said.filter((line) => !/did not complete successfully|executor failed running/.test(line)).join("\n");
}

/** The failure of a build in words. @param revision of the commit that was to be built; undefined: the folder */
export function explained(run: Run, revision: string | undefined, error: unknown): unknown {
  if (!(error instanceof CommandFailedError)) return error;
  if (error.status === NOT_VISIBLE && isOfOurs(error)) return notVisible(error);
  if (error.stepId === INSPECT_STEP) return missingDockerfile(run, revision);
  if (error.stepId === CLONE_STEP) return notCloned(error, revision!);
  const what = error.stepId === BUILD_STEP ? "built and pushed" : "pushed";
  return new MrskError(
    ExitCode.remote,
    `The image could not be ${what} (exit status ${error.status})\n${error.output}`,
    {
      hint: hintFor(run, lastWords(error)),
      cause: error,
    },
  );
}

/** Whether it is a step of ours that failed, and not docker. */
function isOfOurs({ stepId }: CommandFailedError): boolean {
  return stepId === CLONE_STEP || stepId === INSPECT_STEP;
}

function notVisible(error: CommandFailedError): MrskError {
  const [docker, folder] = error.output.trim().split("\n").slice(-2);
  const move =
    error.stepId === CLONE_STEP
      ? "Set TMPDIR to a folder that it sees (mkdir -p ~/tmp && export TMPDIR=~/tmp)"
      : "Move the project to a folder of your home whose name begins with no dot";
  return new MrskError(ExitCode.remote, `Docker was installed from a snap (${docker}), and cannot see ${folder}`, {
    hint: `${move}, or install Docker from its own packages (https://docs.docker.com/engine/install/).`,
    cause: error,
  });
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
