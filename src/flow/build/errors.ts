import { BUILD_STEP } from "../../commands/build.ts";
import { NOT_VISIBLE } from "../../commands/snap.ts";
import { CommandFailedError, ConfigError, ExitCode, MrskError } from "../../errors.ts";
import { isUnauthorized, isUnreachable } from "../registry.ts";
import type { Run } from "../run.ts";

/** Ids of steps. */
export const CLONE_STEP = "clone-commit";
export const INSPECT_STEP = "find-dockerfile";

/** Whether docker was refused by the registry. Ignores the output of Dockerfile steps and of git. */
export function requiresLogin(error: unknown): error is CommandFailedError {
  return error instanceof CommandFailedError && !isOwnStep(error) && isUnauthorized(dockerErrors(error));
}

/** Docker's own errors: for a build, only the lines at the end. */
function dockerErrors({ stepId, output }: CommandFailedError): string {
  const lines = output.trimEnd().split("\n");
  if (stepId !== BUILD_STEP) return output;
  const errors = [...lines.filter((line) => /^error:/i.test(line)), lines.at(-1)!];
  // Docker's line about a failed Dockerfile step quotes the step.
  return errors.filter((line) => !/did not complete successfully|executor failed running/.test(line)).join("\n");
}

/**
 * Turns the error of a build into a message with a hint.
 * @param revision the built commit; undefined: the folder
 * @param aim of the step that runs the Dockerfile
 */
export function buildError(
  run: Run,
  revision: string | undefined,
  error: unknown,
  aim: "built" | "built and pushed" = "built and pushed",
): unknown {
  if (!(error instanceof CommandFailedError)) return error;
  if (error.status === NOT_VISIBLE && isOwnStep(error)) return notVisible(error);
  if (error.stepId === INSPECT_STEP) return missingDockerfile(run, revision);
  if (error.stepId === CLONE_STEP) return notCloned(error, revision!);
  const what = error.stepId === BUILD_STEP ? aim : "pushed";
  return new MrskError(
    ExitCode.remote,
    `The image could not be ${what} (exit status ${error.status})\n${error.output}`,
    {
      hint: hintFor(run, dockerErrors(error)),
      cause: error,
    },
  );
}

/** Whether a step of mrsk failed, and not docker. */
function isOwnStep({ stepId }: CommandFailedError): boolean {
  return stepId === CLONE_STEP || stepId === INSPECT_STEP;
}

function notVisible(error: CommandFailedError): MrskError {
  const [docker, folder] = error.output.trim().split("\n").slice(-2);
  const move =
    error.stepId === CLONE_STEP
      ? "Set TMPDIR to a folder that it can access (mkdir -p ~/tmp && export TMPDIR=~/tmp)"
      : "Move the project to a folder in your home whose name does not begin with a dot";
  return new MrskError(ExitCode.remote, `Docker was installed from a snap (${docker}), and cannot access ${folder}`, {
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
    return new ConfigError([`Missing ${dockerfile}`], { hint: "Create it, or set builder.dockerfile." });
  }
  return new ConfigError([`Missing ${dockerfile} in the commit ${revision.slice(0, 7)}, which the build uses`], {
    hint: "Commit it, set builder.dockerfile, or set builder.context: . to build the folder as it is.",
  });
}

function hintFor(run: Run, output: string): string | undefined {
  const registry = run.config.registry.server ?? "Docker Hub";
  if (isUnauthorized(output))
    return `${registry} denied access: check registry/username, registry/password and the image's name.`;
  if (isUnreachable(output)) return `Check that this machine can reach ${registry}.`;
  if (/requires BuildKit|BuildKit is (?:enabled but|required)/i.test(output)) {
    return "Install buildx (package docker-buildx-plugin or docker-buildx), or set DOCKER_BUILDKIT=1 where docker is older than 23.";
  }
  return undefined;
}
