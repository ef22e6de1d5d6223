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

/**
 * Builds the image, tags it with the version and `latest`, and pushes it. The environment of the build carries the values
 * of build arguments and build secrets, redacted in logs.
 * @param secrets by name, for `builder.secrets`; docker reads the others from its environment or a file of that name
 */
export function buildAndPush(config: Config, version: string, secrets: ReadonlyMap<string, Secret>): readonly Step[] {
  const { builder } = config;
  const environment = withEnvironment(
    [
      ...[...builder.args]
        .filter(([name]) => fitsEnvironment(name))
        .map(([name, value]) => [name, new Secret(name, value)]),
      ...[...secrets].filter(([name]) => builder.secrets.includes(name) && !builder.args.has(name)),
    ] as [string, Secret][],
    [],
  );
  const options = buildOptions(config, version);
  const platform = platforms(config);
  const forPlatform = platform === undefined ? [] : ["--platform", platform];
  if (!pushesByItself(config)) {
    return [
      step("Build the image", [...environment, ...docker("build", ...forPlatform, ...options)], BUILD_STEP),
      // Sequential: registries with disk storage (distribution 2.8) have failed on concurrent reads and writes of one layer.
      step("Push the image", docker("push", image(config, version))),
      step("Push the image as latest", docker("push", latestImage(config))),
    ];
  }
  const name = builderName(config)!;
  const where = ["--push", ...forPlatform, "--builder", name];
  const build = step(
    "Build the image",
    [...environment, ...docker("buildx", "build", ...where, ...options)],
    BUILD_STEP,
  );
  if (builder.kind !== "multiarch/remote") return [build];
  // buildx 0.13.1 succeeds even if it could not join the images of its two nodes in the registry.
  const inspect = docker("buildx", "imagetools", "inspect", "--builder", name, image(config, version));
  return [build, step("Find the image in the registry", inspect)];
}

/** Whether one command builds and pushes. Otherwise the first step of `buildAndPush` builds, and the others push. */
export function pushesByItself({ builder }: Config): boolean {
  return builder.kind !== "native";
}

function buildOptions(config: Config, version: string): Word[] {
  const { builder } = config;
  return [
    ...each("-t", [image(config, version), latestImage(config)]),
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
