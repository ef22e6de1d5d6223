import type { Config, Options } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import { LIVE_MOUNT } from "../plan/facts.ts";
import { assignedFlags, envFlags, labelled, logFlags, optionFlags, secretsOf } from "./arguments.ts";
import { type Command, docker, withEnvironment } from "./command.ts";
import { readsVersion3 } from "./labels.ts";

export const TRAEFIK = "traefik";
/** Where previews are asked for: an entry point of its own, so that redirects of the user's do not answer it. */
export const PREVIEW_PORT = 18082;
const IMAGE_TITLE = "label=org.opencontainers.image.title=Traefik";

/**
 * Starts Traefik with the user's settings and ours: the live files, an entry point for previews on the loopback, a
 * throttle short enough that a switch takes a tenth of a second.
 * @param liveDirectory absolute path on the host
 */
export function runTraefik(config: Config, liveDirectory: string, secrets: ReadonlyMap<string, Secret>): Command {
  const { traefik } = config;
  return withEnvironment(
    secretsOf(traefik.env, secrets),
    docker(
      "run",
      "--name",
      TRAEFIK,
      "--detach",
      "--restart",
      "unless-stopped",
      ...(config.network === undefined ? [] : ["--network", config.network]),
      ...(traefik.hostPort === undefined ? [] : ["--publish", `${traefik.hostPort}:80`]),
      "--publish",
      `127.0.0.1:${PREVIEW_PORT}:8082`,
      "--volume",
      "/var/run/docker.sock:/var/run/docker.sock",
      "--volume",
      `${liveDirectory}:${LIVE_MOUNT}:ro`,
      ...envFlags(traefik.env),
      ...logFlags(config.logging),
      ...labelled("--label", traefik.labels),
      ...optionFlags(traefik.options),
      traefik.image,
      ...traefikArguments(config),
    ),
  );
}

/** What follows the image. */
export function traefikArguments(config: Config): string[] {
  const { args, image } = config.traefik;
  const given = (flag: string) => [...args.keys()].some((key) => key.toLowerCase() === flag.toLowerCase());
  const entryPoints = ownEntryPoints(args);
  const asDefault = readsVersion3(image);
  const ours = [
    "--providers.docker",
    ...(given("log.level") ? [] : ["--log.level=INFO"]),
    `--providers.file.directory=${LIVE_MOUNT}`,
    ...(given("providers.providersThrottleDuration") ? [] : ["--providers.providersThrottleDuration=100ms"]),
    ...(entryPoints.length > 0
      ? []
      : ["--entrypoints.http.address=:80", ...(asDefault ? ["--entrypoints.http.asdefault=true"] : [])]),
    ...(asDefault
      ? entryPoints
          .filter((name) => !given(`entrypoints.${name}.asdefault`))
          .map((name) => `--entrypoints.${name}.asdefault=true`)
      : []),
    "--entrypoints.mrsk.address=:8082",
  ];
  return [...ours, ...assignedFlags(args).map(String)];
}

/** Names of the entry points the user's flags define. */
function ownEntryPoints(args: Options): string[] {
  const names = [...args.keys()].flatMap((key) => /^entrypoints\.([^.]+)\./i.exec(key)?.[1] ?? []);
  return [...new Set(names)];
}

export function startTraefikContainer(): Command {
  return docker("container", "start", TRAEFIK);
}

export function stopTraefikContainer(): Command {
  return docker("container", "stop", TRAEFIK);
}

export function traefikStatus(): Command {
  return docker("ps", "--filter", `name=^${TRAEFIK}$`);
}

export function removeTraefikContainer(): Command {
  return docker("container", "prune", "--force", "--filter", IMAGE_TITLE);
}

export function removeTraefikImage(): Command {
  return docker("image", "prune", "--all", "--force", "--filter", IMAGE_TITLE);
}
