import type { Config, Options } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { portsBetween } from "../ports.ts";
import { assignedFlags, envFlags, expandable, labelled, optionFlags, secretsOf } from "./arguments.ts";
import { type Command, docker, type Raw, raw, type Shell, sh, withEnvironment, type Word } from "../script/command.ts";
import { BY_LABEL, PROBE_ENTRY_POINT, TRAEFIK } from "../shell/constants.ts";
import { readsVersion3 } from "../traefik/labels.ts";
import { type EngineDriver, logFlags } from "./logging.ts";

/** Where the live files are in Traefik's container. */
export const LIVE_MOUNT = "/etc/traefik/mrsk";
/** Where previews are asked for: an entry point of its own, so that redirects of the user's do not answer it. */
export const PROBE_PORT = 18082;
/**
 * How long Traefik answers on one kept connection before it says `Connection: close`: at the next reboot whoever is at
 * work has come over to the new one by then, and nobody's request meets a connection that is just being closed.
 */
const KEPT_SECONDS = 15;
/** The same for the one that only stands in. */
export const KEPT_MEANWHILE_SECONDS = 1;
const IMAGE_TITLE = "label=org.opencontainers.image.title=Traefik";

/** What Traefik's container has to know of its host. */
export interface TraefikHost {
  /** Absolute. */
  readonly liveDirectory: string;
  readonly logDriver: EngineDriver;
}

/**
 * Starts Traefik with the user's settings and ours: the live files, an entry point for previews on the loopback, a
 * throttle short enough that a switch takes a tenth of a second.
 * @param publishPreview false where the preview's port is taken: it is then asked at Traefik's own address
 */
export function runTraefik(
  config: Config,
  host: TraefikHost,
  secrets: ReadonlyMap<string, Secret>,
  { publishPreview = true }: { publishPreview?: boolean } = {},
): Command {
  return traefikContainer(config, host, secrets, {
    verb: ["run", "--name", TRAEFIK, "--detach", "--restart", "unless-stopped"],
    publish: publishFlags(config, publishPreview),
    labels: config.traefik.labels,
    without: [],
  });
}

/** The container that is to take Traefik's place: as `runTraefik` would start it, but only made, under a name of its own. */
export function createTraefik(
  config: Config,
  host: TraefikHost,
  secrets: ReadonlyMap<string, Secret>,
  name: string,
): Command {
  return traefikContainer(config, host, secrets, {
    verb: ["create", "--name", name, "--restart", "no", "--label", raw(`"${BY_LABEL}=$$"`)],
    publish: publishFlags(config),
    labels: config.traefik.labels,
    without: ["restart"],
  });
}

/**
 * A Traefik with the same settings beside the one that runs.
 * @param publish flags for other ports than that one has
 * @param labels those of Traefik's own that both know: two containers that define one thing differently lose it
 */
export function createSecondTraefik(
  config: Config,
  host: TraefikHost,
  secrets: ReadonlyMap<string, Secret>,
  { name, labels, publish }: { name: string; labels: ReadonlyMap<string, string>; publish: Raw },
): Command {
  return traefikContainer(config, host, secrets, {
    verb: ["create", "--name", name, "--restart", "no"],
    publish: [publish],
    labels,
    without: ["restart", "publish"],
    keptSeconds: KEPT_MEANWHILE_SECONDS,
  });
}

/** The policy that Traefik's container is to have. */
export function restartPolicy(config: Config): string {
  const given = config.traefik.options.get("restart");
  return typeof given === "string" ? given : "unless-stopped";
}

interface Variant {
  readonly verb: readonly Word[];
  readonly publish: readonly Word[];
  readonly labels: ReadonlyMap<string, string>;
  /** Options of the user's that are left out. */
  readonly without: readonly string[];
  readonly keptSeconds?: number;
}

function traefikContainer(
  config: Config,
  { liveDirectory, logDriver }: TraefikHost,
  secrets: ReadonlyMap<string, Secret>,
  { verb, publish, labels, without, keptSeconds }: Variant,
): Command {
  const { traefik } = config;
  return withEnvironment(
    secretsOf(traefik.env, secrets),
    docker(
      ...verb,
      ...(config.network === undefined ? [] : ["--network", config.network]),
      ...publish,
      "--volume",
      "/var/run/docker.sock:/var/run/docker.sock",
      ...(offersLiveFiles(config) ? ["--volume", `${liveDirectory}:${LIVE_MOUNT}:ro`] : []),
      ...envFlags(traefik.env),
      ...logFlags(config.logging, traefik.options, logDriver),
      ...labelled("--label", labels),
      ...optionFlags(new Map([...traefik.options].filter(([option]) => !without.includes(option)))),
      traefik.image,
      ...traefikArguments(config, keptSeconds).map(expandable),
    ),
  );
}

function publishFlags(config: Config, preview = true): Word[] {
  const { hostPort } = config.traefik;
  return [
    ...(hostPort === undefined ? [] : ["--publish", `${hostPort}:80`]),
    ...(preview && offersLiveFiles(config) ? ["--publish", `127.0.0.1:${PROBE_PORT}:${PROBE_ENTRY_POINT}`] : []),
  ];
}

/** The server's TCP ports that Traefik wants: `host_port`, `publish` among its options, the preview's. */
export function hostPorts(config: Config): number[] {
  const { hostPort, options } = config.traefik;
  const published = options.get("publish") ?? [];
  const given = (typeof published === "string" ? [published] : published === true ? [] : published).flatMap((text) => {
    const [, first, last = first] = /(?:^|:)(\d+)(?:-(\d+))?:\d+(?:-\d+)?(?:\/tcp)?$/.exec(text) ?? [];
    if (first === undefined) return [];
    return portsBetween(Number(first), Number(last));
  });
  return [...(hostPort === undefined ? [] : [hostPort]), ...given, ...(offersLiveFiles(config) ? [PROBE_PORT] : [])];
}

/** What follows the image; `${NAME}` as written. */
export function traefikArguments(config: Config, keptSeconds = KEPT_SECONDS): string[] {
  const { args, image } = config.traefik;
  const given = (flag: string) => [...args.keys()].some((key) => key.toLowerCase() === flag.toLowerCase());
  return [
    "--providers.docker",
    ...(given("log.level") ? [] : ["--log.level=INFO"]),
    ...(offersLiveFiles(config)
      ? [
          `--providers.file.directory=${LIVE_MOUNT}`,
          ...(given("providers.providersThrottleDuration") ? [] : ["--providers.providersThrottleDuration=100ms"]),
          ...entryPointFlags(args, readsVersion3(image) ? keptSeconds : undefined),
          `--entrypoints.mrsk.address=:${PROBE_ENTRY_POINT}`,
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
 * is named too, unless the user named their own, and those that were default before are marked as such.
 * @param keptSeconds undefined: version 2, which stops at a flag that it does not know
 */
function entryPointFlags(args: Options, keptSeconds: number | undefined): string[] {
  const addresses = new Map<string, string>();
  const marked = new Set<string>();
  const kept = new Set<string>();
  for (const [key, value] of args) {
    const [, name, option = ""] = /^entrypoints\.([^.]+)\.(.+)$/i.exec(key) ?? [];
    if (name === undefined) continue;
    if (/^address$/i.test(option)) addresses.set(name, String(value));
    if (/^asdefault$/i.test(option)) marked.add(name);
    if (/^transport\.keepalivemaxtime$/i.test(option)) kept.add(name);
  }
  // Traefik itself leaves these two out of the defaults.
  const named = [...addresses].filter(([name, address]) => name !== "traefik" && !/\/udp$/i.test(address));
  const names = named.length === 0 ? ["http"] : named.map(([name]) => name);
  return [
    ...(named.length === 0 ? ["--entrypoints.http.address=:80"] : []),
    ...(keptSeconds === undefined
      ? []
      : names.flatMap((name) => [
          ...(marked.size === 0 ? [`--entrypoints.${name}.asdefault=true`] : []),
          ...(kept.has(name) ? [] : [`--entrypoints.${name}.transport.keepalivemaxtime=${keptSeconds}s`]),
        ])),
  ];
}

/** After how long a Traefik with those arguments has told every kept connection to go, in seconds; undefined: never. */
export function keptSecondsOf(args: readonly string[]): number | undefined {
  const found = args.flatMap((arg) => {
    const [, minutes = "0", seconds] =
      /^--entrypoints\.[^.]+\.transport\.keepalivemaxtime=(?:(\d+)m)?(\d+)s?$/i.exec(arg) ?? [];
    return seconds === undefined ? [] : [Number(minutes) * 60 + Number(seconds)];
  });
  return found.length === 0 ? undefined : Math.max(...found);
}

export function startTraefikContainer(): Command {
  return docker("container", "start", TRAEFIK);
}

/** Where there is none, there is nothing to stop. */
export function stopTraefikContainer(): Shell {
  return sh`! docker inspect --type container ${TRAEFIK} >/dev/null 2>&1 || ${docker("container", "stop", TRAEFIK)}`;
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
