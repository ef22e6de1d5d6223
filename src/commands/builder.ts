import type { BuilderHost, Config } from "../config/config.ts";
import { and, type Command, docker, raw, silently } from "../script/command.ts";

/** Fails if buildx is not installed on this machine; undefined if the builder does not need it. */
export function checkBuildx(config: Config): Command | undefined {
  return config.builder.kind === "native" ? undefined : docker("buildx", "version");
}

/** Fails if this machine's engine does not answer; with 127 if there is no docker command. */
export function engineVersion(): Command {
  return docker("version", "--format", "{{.Server.Version}}");
}

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

/** The engines that the builder reaches through separate docker contexts. None: it uses docker's current context. */
export function builderHosts({ builder: { kind, local, remote } }: Config): readonly BuilderHost[] {
  switch (kind) {
    case "multiarch":
      return local?.host === undefined ? [] : [local];
    case "multiarch/remote":
      return [local!, remote!];
    case "native/remote":
      return [remote!];
    default:
      return [];
  }
}

/** `mrsk-S-multiarch-remote-arm64` and the like. */
export function contextName(config: Config, { arch }: BuilderHost): string {
  return `${builderName(config)}-${arch.replaceAll(/[^\w.+-]/g, "-")}`;
}

/** `linux/amd64,linux/arm64` and the like; undefined leaves the choice to docker. */
export function platforms(config: Config): string | undefined {
  const { kind, local, remote, nativeArch } = config.builder;
  const named = (...hosts: readonly (BuilderHost | undefined)[]) =>
    [...new Set(hosts.flatMap((host) => (host ? platformsOf(host.arch) : [])))].toSorted().join(",") || undefined;
  switch (kind) {
    case "multiarch":
      return named(local) ?? "linux/amd64,linux/arm64";
    case "multiarch/remote":
      return named(local, remote);
    case "native/remote":
      return named(remote);
    default:
      return nativeArch === undefined ? undefined : platformsOf(nativeArch).join(",");
  }
}

/** `amd64,arm64` is `linux/amd64` and `linux/arm64`. */
function platformsOf(arch: string): string[] {
  return arch.split(",").map((one) => `linux/${one}`);
}

/** Prints name, driver and an `Endpoint:` line per engine; fails with `no builder "B" found` if there is none. */
export function inspectBuilder(name: string): Command {
  return docker("buildx", "inspect", name);
}

/** Prints the docker host of a context. */
export function inspectContext(name: string): Command {
  return docker("context", "inspect", name, "--format", "{{.Endpoints.docker.Host}}");
}

/** undefined if there is nothing to create. */
export function createBuilder(config: Config): Command | undefined {
  const { kind } = config.builder;
  const name = builderName(config);
  if (name === undefined) return undefined;
  if (kind === "native/cached") return docker("buildx", "create", "--name", name, "--driver=docker-container");
  const hosts = builderHosts(config);
  if (hosts.length === 0) return docker("buildx", "create", "--name", name);
  return and(
    ...hosts.map((host) => createContext(name, contextName(config, host), host)),
    ...hosts.map((host, i) => {
      const platform = platformsOf(host.arch).join(",");
      const context = contextName(config, host);
      return docker("buildx", "create", i > 0 && "--append", "--name", name, context, "--platform", platform);
    }),
  );
}

function createContext(builder: string, context: string, { arch, host }: BuilderHost): Command {
  const description = `${builder} ${arch} native host`;
  return docker("context", "create", context, "--description", description, "--docker", `host=${host ?? ""}`);
}

/**
 * Removes the builder, then its contexts: buildx needs them to stop its containers on their engines. Each command does
 * nothing if its part does not exist. Empty if there is nothing to remove.
 */
export function removeBuilder(config: Config): readonly Command[] {
  const name = builderName(config);
  if (name === undefined) return [];
  const contexts = builderHosts(config).map((host) => contextName(config, host));
  return [
    ifPresent(inspectBuilder(name), docker("buildx", "rm", name)),
    ...contexts.map((context) => ifPresent(inspectContext(context), docker("context", "rm", context))),
  ];
}

function ifPresent(inspect: Command, remove: Command): Command {
  return [raw("!"), ...silently(inspect), raw("||"), ...remove];
}

/** undefined for docker's own builder, which has no details. */
export function builderInfo(config: Config): Command | undefined {
  return config.builder.kind === "native" ? undefined : and(docker("context", "ls"), docker("buildx", "ls"));
}
