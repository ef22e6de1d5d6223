import type { Config } from "../config/config.ts";
import { Secret } from "../config/env/secret.ts";
import { each } from "./arguments.ts";
import { builderName, platforms } from "./builder.ts";
import { Assignment, type Command, docker, type Word, withEnvironment } from "../script/command.ts";
import { volume } from "./expansion.ts";
import { image, latestImage } from "../config/names.ts";
import { type Step, step } from "../script/script.ts";

/** Id of the step that runs the user's Dockerfile, whose output may contain anything. */
export const BUILD_STEP = "build";

export interface BuildChoice {
  /** Build each layer again. */
  readonly noCache?: boolean | undefined;
  /** Where the image goes instead of the registry: the value of docker's `--output`. */
  readonly output?: string | undefined;
}

/** Into the engine of this machine. */
export const LOCAL_OUTPUT = "type=docker";

/**
 * Builds the image, tags it with the version and `latest`, and pushes it. The environment of the build carries the values
 * of build arguments and build secrets, redacted in logs.
 * @param secrets by name, for `builder.secrets`; docker reads the others from its environment or a file of that name
 */
export function buildAndPush(
  config: Config,
  version: string,
  secrets: ReadonlyMap<string, Secret>,
  choice: BuildChoice = {},
): readonly Step[] {
  const names = [image(config, version), latestImage(config)];
  const build = buildStep(config, names, secrets, choice);
  if (choice.output !== undefined) return [build];
  if (!pushesByItself(config)) {
    return [
      build,
      // Sequential: registries with disk storage (distribution 2.8) have failed on concurrent reads and writes of one layer.
      step("Push the image", docker("push", image(config, version))),
      step("Push the image as latest", docker("push", latestImage(config))),
    ];
  }
  if (config.builder.kind !== "multiarch/remote") return [build];
  // buildx 0.13.1 succeeds even if it could not join the images of its two nodes in the registry.
  const inspect = docker("buildx", "imagetools", "inspect", "--builder", builderName(config), image(config, version));
  return [build, step("Find the image in the registry", inspect)];
}

/** The names of an image that is built from the working directory: `V-dirty` and `latest-dirty`. */
export function dirtyImages(config: Config, version: string): readonly [string, string] {
  return [`${image(config, version)}-dirty`, `${latestImage(config)}-dirty`];
}

/** One command that builds the image under these names. A builder of buildx also pushes it, if `output` is undefined. */
export function buildStep(
  config: Config,
  names: readonly string[],
  secrets: ReadonlyMap<string, Secret>,
  { noCache = false, output }: BuildChoice,
): Step {
  const name = builderName(config);
  const platform = platformFlags(config, output);
  const options = buildOptions(config, names, noCache);
  const command =
    name === undefined
      ? docker("build", ...ownOutput(output), ...platform, ...options)
      : docker("buildx", "build", ...builderOutput(output), ...platform, "--builder", name, ...options);
  return step("Build the image", [...buildEnvironment(config, secrets), ...command], BUILD_STEP);
}

/** Docker's own builder puts the image into its own engine; the classic one has no `--output`. */
function ownOutput(output: string | undefined): string[] {
  return output === undefined || output === LOCAL_OUTPUT ? [] : ["--output", output];
}

function builderOutput(output: string | undefined): string[] {
  return output === undefined ? ["--push"] : ["--output", output];
}

function buildEnvironment({ builder }: Config, secrets: ReadonlyMap<string, Secret>): Command {
  return withEnvironment(
    [
      ...[...builder.args]
        .filter(([name]) => fitsEnvironment(name))
        .map(([name, value]) => [name, new Secret(name, value)]),
      ...[...secrets].filter(([name]) => builder.secrets.includes(name) && !builder.args.has(name)),
    ] as [string, Secret][],
    [],
  );
}

/** The engine of this machine stores one platform of an image: without a flag, its own. */
function platformFlags(config: Config, output: string | undefined): string[] {
  const platform = platforms(config);
  const several = platform?.includes(",") === true;
  return platform === undefined || (several && output === LOCAL_OUTPUT) ? [] : ["--platform", platform];
}

/** Whether one command builds and pushes. Otherwise the first step of `buildAndPush` builds, and the others push. */
export function pushesByItself({ builder }: Config): boolean {
  return builder.kind !== "native";
}

function buildOptions(config: Config, names: readonly string[], noCache: boolean): Word[] {
  const { builder } = config;
  return [
    ...(noCache ? ["--no-cache"] : []),
    ...each("-t", names),
    ...cacheFlags(config),
    "--label",
    `service=${config.service}`,
    ...buildArguments(builder.args),
    ...each("--build-arg", builder.inheritedArgs ?? []),
    ...builder.secrets.flatMap((name) => ["--secret", `id=${name}`]),
    "--file",
    builder.dockerfile,
    ...(builder.target === undefined ? [] : ["--target", builder.target]),
    ...(builder.provenance === undefined ? [] : ["--provenance", builder.provenance]),
    ...(builder.sbom === undefined ? [] : ["--sbom", String(builder.sbom)]),
    // As with volumes, MRSK left `default=$SSH_AUTH_SOCK` to the shell.
    ...(builder.ssh === undefined ? [] : ["--ssh", volume(builder.ssh)]),
    builder.context,
  ];
}

/** `--build-arg NAME` reads the value from the environment. The few names that cannot be set there get `NAME=value`. */
function buildArguments(args: ReadonlyMap<string, string>): Word[] {
  return [...args].flatMap(([name, value]) => [
    "--build-arg",
    fitsEnvironment(name) ? name : new Assignment(name, new Secret(name, value)),
  ]);
}

/** Whether a variable of this name can be set for docker without changing docker's behaviour. */
function fitsEnvironment(name: string): boolean {
  return (
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) &&
    !/^(?:PATH|HOME|SHELL|TMPDIR|USER|LD_.*|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|SSH_.*|.*_proxy)$/i.test(name)
  );
}

function cacheFlags(config: Config): Word[] {
  const { cache } = config.builder;
  if (!cache) return [];
  const options = cache.options === undefined ? "" : `,${cache.options}`;
  if (cache.type === "gha") {
    return ["--cache-to", `type=gha${options}`, "--cache-from", `type=gha${importOptions(cache.options)}`];
  }
  const server = config.registry.server === undefined ? "" : `${config.registry.server}/`;
  const reference = `${server}${cache.image ?? `${config.repository.slice(server.length)}-build-cache`}`;
  return ["--cache-to", `type=registry${options},ref=${reference}`, "--cache-from", `type=registry,ref=${reference}`];
}

/** Those that say where GitHub's cache is: buildx refuses the others for reading. */
function importOptions(options = ""): string {
  const read = options.split(",").filter((option) => /^(?:url|url_v2|token|scope|timeout)=/.test(option));
  return read.map((option) => `,${option}`).join("");
}

export function pull(config: Config, version: string): Command {
  return docker("pull", image(config, version));
}
