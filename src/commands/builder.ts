import type { Config } from "../config/config.ts";
import { Secret } from "../config/secret.ts";
import { and, type Command, docker, raw, type Word, withEnvironment } from "./command.ts";
import { each } from "./arguments.ts";
import { image, latestImage } from "./names.ts";

/** The builder's name on this machine: `mrsk-S-multiarch` and so on; undefined for docker's own builder. */
export function builderName(config: Config): string | undefined {
  switch (config.builder.kind) {
    case "multiarch":
      return `mrsk-${config.service}-multiarch`;
    case "multiarch/remote":
      return `mrsk-${config.service}-multiarch-remote`;
    case "native/remote":
      return `mrsk-${config.service}-native-remote`;
    case "native/cached":
      return `mrsk-${config.service}-native-cached`;
    default:
      return undefined;
  }
}

/** `linux/amd64,linux/arm64` and the like; undefined leaves the choice to docker. */
export function platforms(config: Config): string | undefined {
  const { kind, local, remote } = config.builder;
  switch (kind) {
    case "multiarch":
      return local ? `linux/${local.arch}` : "linux/amd64,linux/arm64";
    case "multiarch/remote":
      return "linux/amd64,linux/arm64";
    case "native/remote":
      return remote ? `linux/${remote.arch}` : undefined;
    default:
      return undefined;
  }
}

/** Whether docker, and where it is needed buildx, are on this machine. */
export function dependencyCheck(config: Config): Command {
  const engine = docker("--version");
  return config.builder.kind === "native" ? engine : and(engine, docker("buildx", "version"));
}

/**
 * Builds, tags with the version and `latest`, and pushes. Values of build arguments and of build secrets travel in the
 * environment of the build, the former redacted in logs.
 * @param secrets by name, for `builder.secrets`; docker reads the rest from its own environment or a file of that name
 */
export function push(config: Config, version: string, secrets: ReadonlyMap<string, Secret> = new Map()): Command {
  const { builder } = config;
  const namedArgs = [...builder.args].filter(([name]) => travels(name));
  const plainArgs = [...builder.args].filter(([name]) => !travels(name));
  const options: Word[] = [
    ...each("-t", [image(config, version), latestImage(config)]),
    ...cacheFlags(config),
    "--label",
    `service=${config.service}`,
    ...each(
      "--build-arg",
      plainArgs.map(([name, value]) => `${name}=${value}`),
    ),
    ...each(
      "--build-arg",
      namedArgs.map(([name]) => name),
    ),
    ...builder.secrets.flatMap((name) => ["--secret", `id=${name}`]),
    "--file",
    builder.dockerfile,
    ...(builder.target === undefined ? [] : ["--target", builder.target]),
    ...(builder.ssh === undefined ? [] : ["--ssh", builder.ssh]),
  ];
  const environment = withEnvironment(
    [
      ...namedArgs.map(([name, value]) => [name, new Secret(name, value)] as const),
      ...[...secrets].filter(([name]) => builder.secrets.includes(name) && !builder.args.has(name)),
    ],
    [],
  );
  const name = builderName(config);
  if (builder.kind === "native") {
    const build = [...environment, ...docker("build", ...options, builder.context)];
    return and(build, docker("push", image(config, version)), docker("push", latestImage(config)));
  }
  const platform = platforms(config);
  return [
    ...environment,
    ...docker(
      "buildx",
      "build",
      "--push",
      ...(platform === undefined ? [] : ["--platform", platform]),
      ...(name === undefined ? [] : ["--builder", name]),
      ...options,
      builder.context,
    ),
  ];
}

/** Whether a variable of that name can be set for docker without changing what docker does. */
function travels(name: string): boolean {
  return (
    /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) &&
    !/^(?:PATH|HOME|SHELL|TMPDIR|USER|LD_.*|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|SSH_.*|.*_proxy)$/i.test(name)
  );
}

function cacheFlags(config: Config): Word[] {
  const { cache } = config.builder;
  if (!cache) return [];
  const options = cache.options === undefined ? "" : `,${cache.options}`;
  if (cache.type === "gha") return ["--cache-to", `type=gha${options}`, "--cache-from", "type=gha"];
  const server = config.registry.server === undefined ? "" : `${config.registry.server}/`;
  const reference = `${server}${cache.image ?? `${config.repository.slice(server.length)}-build-cache`}`;
  return ["--cache-to", `type=registry${options},ref=${reference}`, "--cache-from", `type=registry,ref=${reference}`];
}

/** undefined where there is nothing to create. */
export function createBuilder(config: Config): Command | undefined {
  const { kind, local, remote } = config.builder;
  const name = builderName(config);
  if (name === undefined) return undefined;
  if (kind === "multiarch") return docker("buildx", "create", "--use", "--name", name);
  if (kind === "native/cached") return docker("buildx", "create", "--name", name, "--driver=docker-container");
  const context = (arch: string, host: string | undefined) =>
    docker(
      "context",
      "create",
      `${name}-${arch}`,
      "--description",
      `${name} ${arch} native host`,
      "--docker",
      `host=${host ?? ""}`,
    );
  const add = (arch: string, append: boolean) =>
    docker("buildx", "create", append && "--append", "--name", name, `${name}-${arch}`, "--platform", `linux/${arch}`);
  if (kind === "native/remote" && remote) {
    return [...context(remote.arch, remote.host), raw(";"), ...add(remote.arch, false)];
  }
  if (!local || !remote) return undefined;
  return and(
    context(local.arch, local.host),
    context(remote.arch, remote.host),
    add(local.arch, false),
    add(remote.arch, true),
  );
}

export function removeBuilder(config: Config): Command | undefined {
  const { kind, local, remote } = config.builder;
  const name = builderName(config);
  if (name === undefined) return undefined;
  if (kind === "native/remote" && remote) {
    return [...docker("context", "rm", `${name}-${remote.arch}`), raw(";"), ...docker("buildx", "rm", name)];
  }
  if (kind === "multiarch/remote" && local && remote) {
    return and(
      docker("context", "rm", `${name}-${local.arch}`),
      docker("context", "rm", `${name}-${remote.arch}`),
      docker("buildx", "rm", name),
    );
  }
  return docker("buildx", "rm", name);
}

/** undefined where docker has nothing to tell. */
export function builderInfo(config: Config): Command | undefined {
  switch (config.builder.kind) {
    case "native":
      return undefined;
    case "native/remote":
      return [...docker("context", "ls"), raw(";"), ...docker("buildx", "ls")];
    default:
      return and(docker("context", "ls"), docker("buildx", "ls"));
  }
}

export function pull(config: Config, version: string): Command {
  return docker("pull", image(config, version));
}
