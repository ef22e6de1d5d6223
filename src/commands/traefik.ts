import type { Config, Options } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import { assignedFlags, envFlags, expandable, labelled, logFlags, optionFlags, secretsOf } from "./arguments.ts";
import { type LogQuery, logs } from "./app.ts";
import { type Command, docker, withEnvironment } from "./command.ts";
import { readsVersion3 } from "./labels.ts";

export const TRAEFIK = "traefik";
/** Where the live files are in Traefik's container. */
export const LIVE_MOUNT = "/etc/traefik/mrsk";
/** Where previews are asked for: an entry point of its own, so that redirects of the user's do not answer it. */
export const PREVIEW_PORT = 18082;
const PREVIEW_ENTRY = 8082;
const IMAGE_TITLE = "label=org.opencontainers.image.title=Traefik";

/**
 * Starts Traefik with the user's settings and ours: the live files, an entry point for previews on the loopback, a
 * throttle short enough that a switch takes a tenth of a second.
 * @param liveDirectory absolute path on the host
 */
export function runTraefik(config: Config, liveDirectory: string, secrets: ReadonlyMap<string, Secret>): Command {
  const { traefik } = config;
  const live = offersLiveFiles(config);
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
      ...(live ? ["--publish", `127.0.0.1:${PREVIEW_PORT}:${PREVIEW_ENTRY}`] : []),
      "--volume",
      "/var/run/docker.sock:/var/run/docker.sock",
      ...(live ? ["--volume", `${liveDirectory}:${LIVE_MOUNT}:ro`] : []),
      ...envFlags(traefik.env),
      ...logFlags(config.logging),
      ...labelled("--label", traefik.labels),
      ...optionFlags(traefik.options),
      traefik.image,
      ...traefikArguments(config).map(expandable),
    ),
  );
}

/** What follows the image; `${NAME}` as written. */
export function traefikArguments(config: Config): string[] {
  const { args, image } = config.traefik;
  const given = (flag: string) => [...args.keys()].some((key) => key.toLowerCase() === flag.toLowerCase());
  return [
    "--providers.docker",
    ...(given("log.level") ? [] : ["--log.level=INFO"]),
    ...(offersLiveFiles(config)
      ? [
          `--providers.file.directory=${LIVE_MOUNT}`,
          ...(given("providers.providersThrottleDuration") ? [] : ["--providers.providersThrottleDuration=100ms"]),
          ...entryPointFlags(args, readsVersion3(image)),
          `--entrypoints.mrsk.address=:${PREVIEW_ENTRY}`,
        ]
      : []),
    ...assignedFlags(args),
  ];
}

/** Traefik has one file provider: where the user's own arguments set it up, containers go by their labels alone. */
export function offersLiveFiles(config: Config): boolean {
  return ![...config.traefik.args.keys()].some((key) => /^providers\.file(?:\.|$)/i.test(key));
}

/**
 * Naming an entry point removes Traefik's implicit `http`, and naming ours makes it a default of every router: so `http`
 * is named too, unless the user named their own, and those that were default before are marked as such. Version 2 does
 * not know the mark.
 */
function entryPointFlags(args: Options, marks: boolean): string[] {
  const addresses = new Map<string, string>();
  const marked = new Set<string>();
  for (const [key, value] of args) {
    const [, name, option] = /^entrypoints\.([^.]+)\.(.+)$/i.exec(key) ?? [];
    if (name === undefined) continue;
    if (option?.toLowerCase() === "address") addresses.set(name, String(value));
    if (option?.toLowerCase() === "asdefault") marked.add(name);
  }
  // Traefik itself leaves these two out of the defaults.
  const defaults = [...addresses].filter(([name, address]) => name !== "traefik" && !/\/udp$/i.test(address));
  if (defaults.length === 0) {
    return [
      "--entrypoints.http.address=:80",
      ...(marks && marked.size === 0 ? ["--entrypoints.http.asdefault=true"] : []),
    ];
  }
  return marks && marked.size === 0 ? defaults.map(([name]) => `--entrypoints.${name}.asdefault=true`) : [];
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

/** Traefik's own log, both streams on standard output. */
export function traefikLogs(query: LogQuery): Command {
  return logs(TRAEFIK, { timestamps: true, ...query });
}
