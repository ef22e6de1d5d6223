import type { Config, Traefik } from "../config/config.ts";
import { hasArgument } from "../config/traefik.ts";
import type { Secret } from "../config/env/secret.ts";
import { ENTRY_POINT_PORTS, portsBetween } from "../ports.ts";
import { assignedFlags, envFlags, expandable, labelled, optionFlags, secretsOf } from "./arguments.ts";
import { type Command, docker, type Raw, raw, type Shell, sh, withEnvironment, type Word } from "../script/command.ts";
import { BY_LABEL, PROBE_ENTRY_POINT, TRAEFIK } from "../shell/constants.ts";
import { readsVersion3 } from "../traefik/labels.ts";
import { SECOND_KEEP_ALIVE_SECONDS } from "../traefik/replace.ts";
import { type EngineDriver, logFlags } from "./logging.ts";

/** The directory of live files in Traefik's container. */
export const LIVE_MOUNT = "/etc/traefik/mrsk";
/** The host port of the probe entry point. Probes have a separate entry point, without the redirects of the user's. */
export const PROBE_PORT = 18082;
/**
 * `keepAliveMaxTime`: after this time Traefik answers with `Connection: close`. During a replacement, every active client
 * has then opened a new connection to the new Traefik, and no request meets a connection that is being closed.
 */
const KEEP_ALIVE_SECONDS = 15;
/** The name of the entry point for Prometheus. */
const METRICS = "mrsk-metrics";
const IMAGE_TITLE = "label=org.opencontainers.image.title=Traefik";

/** The facts of a host that Traefik's container depends on. */
export interface TraefikHost {
  /** Absolute. */
  readonly liveDirectory: string;
  readonly logDriver: EngineDriver;
}

/**
 * Runs Traefik with the user's settings and mrsk's: the live files, a probe entry point on 127.0.0.1, and a throttle of
 * 100 ms, so that a switch is fast.
 * @param publishProbePort false if the host port is taken: probes then go to the address of Traefik's container
 */
export function runTraefik(
  config: Config,
  host: TraefikHost,
  secrets: ReadonlyMap<string, Secret>,
  { publishProbePort = true }: { publishProbePort?: boolean } = {},
): Command {
  return traefikContainer(config, host, secrets, {
    verb: ["run", "--name", TRAEFIK, "--detach", "--restart", "unless-stopped"],
    publish: publishFlags(config, publishProbePort),
    labels: config.traefik.labels,
    without: [],
  });
}

/** Creates the container that will replace Traefik: as `runTraefik`, but under another name, and not started. */
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
 * Creates the second Traefik, with the same settings as the running one.
 * @param publish flags for other ports than the running one has
 * @param labels of Traefik's labels, those that both define alike: Traefik ignores what two containers define differently
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
    keepAliveSeconds: SECOND_KEEP_ALIVE_SECONDS,
  });
}

/** The restart policy of Traefik's container. */
export function restartPolicy(config: Config): string {
  const given = config.traefik.options.get("restart");
  return typeof given === "string" ? given : "unless-stopped";
}

interface Variant {
  readonly verb: readonly Word[];
  readonly publish: readonly Word[];
  readonly labels: ReadonlyMap<string, string>;
  /** Options of the user to omit. */
  readonly without: readonly string[];
  readonly keepAliveSeconds?: number;
}

function traefikContainer(
  config: Config,
  { liveDirectory, logDriver }: TraefikHost,
  secrets: ReadonlyMap<string, Secret>,
  { verb, publish, labels, without, keepAliveSeconds }: Variant,
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
      ...logFlags(traefik.logging, traefik.options, logDriver),
      ...labelled("--label", labels),
      ...optionFlags(new Map([...traefik.options].filter(([option]) => !without.includes(option)))),
      traefik.image,
      ...traefikArguments(config, keepAliveSeconds).map(expandable),
    ),
  );
}

function publishFlags(config: Config, publishProbePort = true): Word[] {
  const { bindIps, hostPort } = config.traefik;
  const addresses = bindIps.length === 0 ? [""] : bindIps.map((ip) => (ip.includes(":") ? `[${ip}]:` : `${ip}:`));
  return [
    ...(hostPort === undefined
      ? []
      : addresses.flatMap((address) => ["--publish", `${address}${hostPort}:${ENTRY_POINT_PORTS.requests}`])),
    ...(publishProbePort && offersLiveFiles(config)
      ? ["--publish", `127.0.0.1:${PROBE_PORT}:${PROBE_ENTRY_POINT}`]
      : []),
  ];
}

/** The host's TCP ports that Traefik publishes: `host_port`, the `publish` options, and the probe port. */
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

/** Traefik's arguments, after the image. `${NAME}` is not expanded. */
export function traefikArguments(config: Config, keepAliveSeconds = KEEP_ALIVE_SECONDS): string[] {
  const { args } = config.traefik;
  return [
    "--providers.docker",
    ...(hasArgument(args, "log.level") ? [] : ["--log.level=INFO"]),
    ...(offersLiveFiles(config)
      ? [
          `--providers.file.directory=${LIVE_MOUNT}`,
          ...(hasArgument(args, "providers.providersThrottleDuration")
            ? []
            : ["--providers.providersThrottleDuration=100ms"]),
        ]
      : []),
    ...entryPointFlags(config, keepAliveSeconds),
    ...assignedFlags(args),
  ];
}

/** Whether Traefik reads live files. It has only one file provider: if the user configures it, labels alone route. */
export function offersLiveFiles(config: Config): boolean {
  return ![...config.traefik.args.keys()].some((key) => /^providers\.file(?:\.|$)/i.test(key));
}

/**
 * The flags of Traefik's own entry points, and those of the entry points for requests. Empty if neither is needed: any
 * named entry point removes Traefik's implicit `http`, and becomes a default of every router.
 */
function entryPointFlags(config: Config, keepAliveSeconds: number): string[] {
  const { forwardHeaders, image, metricsPort } = config.traefik;
  const own = [
    ...(offersLiveFiles(config) ? [`--entrypoints.mrsk.address=:${PROBE_ENTRY_POINT}`] : []),
    ...(metricsPort === undefined
      ? []
      : [`--entrypoints.${METRICS}.address=:${metricsPort}`, `--metrics.prometheus.entrypoint=${METRICS}`]),
  ];
  if (own.length === 0 && !forwardHeaders) return [];
  return [...requestFlags(config.traefik, readsVersion3(image) ? keepAliveSeconds : undefined), ...own];
}

/**
 * mrsk names `http`, unless the user names entry points, and sets `asDefault` on all but its own entry points. Traefik's
 * default `readTimeout` of 60 s includes the body: it would end every longer upload.
 * @param keepAliveSeconds undefined for Traefik 2, which refuses to start with these flags
 */
function requestFlags({ args, forwardHeaders }: Traefik, keepAliveSeconds: number | undefined): string[] {
  const options = [...args].flatMap(([key, value]) => {
    const [, name, option = ""] = /^entrypoints\.([^.]+)\.(.+)$/i.exec(key) ?? [];
    return name === undefined ? [] : [{ name, option: option.toLowerCase(), value: String(value) }];
  });
  // Traefik itself excludes these two from the defaults.
  const named = options.filter(
    ({ name, option, value }) => option === "address" && name !== "traefik" && !/\/udp$/i.test(value),
  );
  const names = named.length === 0 ? ["http"] : [...new Set(named.map(({ name }) => name))];
  const choosesDefaults = options.some(({ option }) => option === "asdefault");
  return [
    ...(named.length === 0 ? [`--entrypoints.http.address=:${ENTRY_POINT_PORTS.requests}`] : []),
    ...names.flatMap((name) => {
      const has = (start: string) => options.some((given) => given.name === name && given.option.startsWith(start));
      return [
        ...(keepAliveSeconds !== undefined && !choosesDefaults ? [`--entrypoints.${name}.asdefault=true`] : []),
        ...(keepAliveSeconds !== undefined && !has("transport.keepalivemaxtime")
          ? [`--entrypoints.${name}.transport.keepalivemaxtime=${keepAliveSeconds}s`]
          : []),
        ...(has("transport.respondingtimeouts.readtimeout")
          ? []
          : [`--entrypoints.${name}.transport.respondingtimeouts.readtimeout=0`]),
        ...(forwardHeaders && !has("forwardedheaders.")
          ? [`--entrypoints.${name}.forwardedheaders.insecure=true`]
          : []),
      ];
    }),
  ];
}

/** The longest `keepAliveMaxTime` in Traefik's arguments, in seconds; undefined: connections are kept forever. */
export function keepAliveSecondsOf(args: readonly string[]): number | undefined {
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

/** Does nothing if there is no container. */
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
