import { existsSync } from "node:fs";
import { resolve } from "node:path";
import {
  builderInfo,
  builderName,
  createBuilder as create,
  pull as pullCommand,
  push as pushCommand,
  removeBuilder as remove,
} from "../commands/builder.ts";
import { type Body, sh } from "../commands/command.ts";
import { image } from "../commands/names.ts";
import { networkSteps } from "../commands/network.ts";
import { withLogin } from "../commands/registry.ts";
import { attempt, script, type Step, step } from "../commands/script.ts";
import { CommandFailedError, ConfigError, ExitCode, MrskError, UsageError } from "../errors.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { audit } from "./audit.ts";
import { runHook } from "./hook.ts";
import { withLock } from "./lock.ts";
import { explained, isUnauthorized, login, loginStep } from "./registry.ts";
import { appHosts, begin, type Run } from "./run.ts";

/** `build deliver`. */
export async function deliver(run: Run): Promise<void> {
  await withLock(run, async () => {
    await push(run);
    await pull(run);
  });
}

/** `build push`: builds on this machine and pushes. @throws MrskError without docker, buildx or a Dockerfile here */
export async function push(run: Run): Promise<void> {
  await withLock(run, async () => {
    await checkTools(run);
    await runHook(run, "pre-build");
    const version = await run.version();
    const needs = run.config.builder.secrets.map((name) => ({ name, askedBy: "builder/secrets" }));
    const build = step("Build and push the image", pushCommand(run.config, version, await run.secrets.resolve(needs)));
    try {
      await runBuild(run, build);
    } catch (error) {
      await repair(run, error);
      await runBuild(run, build).catch((again: unknown) => {
        throw explainedBuild(again);
      });
    }
  });
}

/** What can be mended before a second try: no builder yet, no login yet. @throws the error where there is nothing */
async function repair(run: Run, error: unknown): Promise<void> {
  if (error instanceof CommandFailedError && isMissingBuilder(error.output)) {
    run.report({ kind: "warning", text: "Missing compatible builder, so creating a new one first" });
    await createBuilder(run);
  } else if (error instanceof CommandFailedError && isUnauthorized(error.output)) {
    run.report({ kind: "note", text: "The registry wants a login first" });
    await login(run, { skipRemote: true });
  } else {
    throw explainedBuild(error);
  }
}

function runBuild(run: Run, build: Step) {
  return run.local.run(script("Build", [build]), {
    signal: run.signal,
    onOutput: ({ text }) => run.report({ kind: "progress", host: "localhost", text }),
  });
}

/** Only what docker itself says about the builder: the Dockerfile's own steps may print anything. */
function isMissingBuilder(output: string): boolean {
  return /^(?:ERROR|error): (?:no builder ".*" found|failed to find builder)/im.test(output);
}

function explainedBuild(error: unknown): unknown {
  if (!(error instanceof CommandFailedError)) return error;
  const hint = isUnauthorized(error.output)
    ? "The registry refused the push: run `mrsk registry login`, and check the image name."
    : undefined;
  return new MrskError(
    ExitCode.remote,
    `The image could not be built and pushed (exit status ${error.status})\n${error.output}`,
    { hint, cause: error },
  );
}

async function checkTools(run: Run): Promise<void> {
  const { builder } = run.config;
  if (!/^(?:https?|ssh|git):/.test(builder.context) && !existsSync(resolve(run.cwd, builder.dockerfile))) {
    throw new ConfigError([`Missing ${builder.dockerfile}`], {
      hint: "Write a Dockerfile, or name it with builder.dockerfile.",
    });
  }
  const checked = await run.local.run(
    script("Look for docker", [
      attempt("docker", sh`docker --version >/dev/null 2>&1`),
      attempt("buildx", sh`docker buildx version >/dev/null 2>&1`),
      attempt("engine", sh`docker version --format '{{.Server.Version}}' >/dev/null 2>&1`),
    ]),
  );
  if (checked.status("docker") !== 0) {
    throw new MrskError(ExitCode.remote, "Docker is not installed locally", {
      hint: "Install it: https://docs.docker.com/engine/install/",
    });
  }
  if (builder.kind !== "native" && checked.status("buildx") !== 0) {
    throw new MrskError(ExitCode.remote, "Docker buildx plugin is not installed locally", {
      hint: "Install it (package docker-buildx-plugin or docker-buildx), or build without: builder.multiarch: false.",
    });
  }
  if (!builder.remote && checked.status("engine") !== 0) {
    throw new MrskError(ExitCode.remote, "The Docker engine of this machine does not answer", {
      hint: "Start it, and see that you may use it: docker info",
    });
  }
}

/** `build pull`. */
export async function pull(run: Run): Promise<void> {
  await withLock(run, async () => {
    await fetchImage(run);
  });
}

/** The image on every app host: pull, a login first where the stored one does not serve, and a look at what came. One round trip per host. */
export async function fetchImage(run: Run): Promise<void> {
  const version = await run.version();
  const steps: Step[] = [
    await audit(run, `Pulled image with version ${version}`),
    step("Pull the image", withLogin(pullCommand(run.config, version), (await loginStep(run)).body)),
    step("Check the image", checkImage(run, version)),
    ...networkSteps(run.config),
  ];
  await onHosts(appHosts(run), async (host) => {
    try {
      await explained(run, () => host.run(script("Fetch the image", steps), { signal: run.signal }));
    } catch (error) {
      throw explainedPull(run, version, error);
    }
  });
}

/** The image on every app host, pulled only where it is not. @throws UsageError when the registry has none either */
export async function ensureImage(run: Run, version: string): Promise<void> {
  const name = image(run.config, version);
  const pullIt = withLogin(pullCommand(run.config, version), (await loginStep(run)).body);
  const steps = [step("Pull the image", sh`docker image inspect ${name} >/dev/null 2>&1 || { ${pullIt}; }`)];
  await onHosts(appHosts(run), async (host) => {
    try {
      await explained(run, () => host.run(script("Fetch the image", steps), { signal: run.signal }));
    } catch (error) {
      throw explainedPull(run, version, error);
    }
  });
}

/** An image of another service would be pruned and removed as that service's. */
function checkImage(run: Run, version: string): Body {
  const name = image(run.config, version);
  return sh`service=$(docker image inspect --format '{{ index .Config.Labels "service" }}' ${name})
[ "$service" = ${run.config.service} ] || { echo ${`Image ${name} is missing the 'service' label`} >&2; exit 1; }`;
}

function explainedPull(run: Run, version: string, error: unknown): unknown {
  if (!(error instanceof CommandFailedError) || error.step !== "Pull the image") return error;
  if (/manifest unknown|not found/i.test(error.output)) {
    return new UsageError(`${error.host}: the registry has no image ${image(run.config, version)}`, {
      hint: "Build it first (`mrsk build push`), or name a version that was built with --version.",
      cause: error,
    });
  }
  if (/no basic auth|unauthorized|denied/i.test(error.output)) {
    return new MrskError(ExitCode.remote, error.message, { hint: "Run `mrsk registry login`.", cause: error });
  }
  return error;
}

/** `build create`. */
export async function createBuilder(run: Run): Promise<void> {
  await withLock(run, async () => {
    const command = create(run.config);
    if (!command) {
      run.report({ kind: "note", text: "Docker's own builder is used: nothing to create" });
      return;
    }
    const name = builderName(run.config)!;
    begin(run, `Creating the builder ${name}...`);
    await run.local.run(
      script("Create the builder", [
        step("Create the builder", sh`docker buildx inspect ${name} >/dev/null 2>&1 || { ${command}; }`),
      ]),
    );
  });
}

/** `build remove`. */
export async function removeBuilder(run: Run): Promise<void> {
  await withLock(run, async () => {
    const command = remove(run.config);
    if (!command) return;
    await run.local.run(script("Remove the builder", [step("Remove the builder", command)]));
    run.report({ kind: "note", text: `Removed the builder ${builderName(run.config)}` });
  });
}

/** `build details`. */
export async function builderDetails(run: Run): Promise<void> {
  run.print(`Builder: ${builderName(run.config) ?? "native"}\n`);
  const command = builderInfo(run.config);
  if (!command) return;
  const result = await run.local.run(script("Builders", [step("Builders", command)]));
  run.print(`${result.text("Builders")}\n`);
}
