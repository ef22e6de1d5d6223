import type { Config, Role } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { each, envFlags, optionFlags, resolvedLabels, secretsOf, volumeFlags, words } from "./arguments.ts";
import { call } from "../script/call.ts";
import { type Command, docker, pipe, raw, type Shell, type Word, withEnvironment } from "../script/command.ts";
import { healthFlags } from "./healthcheck.ts";
import { type EngineDriver, logFlags } from "./logging.ts";
import { hostPart, image, latestImage } from "../config/names.ts";
import { type ExecOptions, execIn, type OneOffOptions, runOneOff } from "./one-off.ts";

/** The inputs of one `docker run` of the app that are not in the configuration. */
export interface Launch {
  readonly name: string;
  readonly version: string;
  /** The host as configured, for the container's host name. */
  readonly host: string;
  /** Twelve hex digits. */
  readonly suffix: string;
  /** The result of `roleLabels` or `containerLabels`, each `${NAME}` replaced by its value on the host. */
  readonly labels: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, Secret>;
  /** `no`, or the policy of a live container. */
  readonly restart: string;
  /** Whether the engine and the docker command support `--health-start-interval`. */
  readonly startInterval: boolean;
  readonly logDriver: EngineDriver;
  /** false if the image cannot run the health check (`detectCurl`). */
  readonly healthcheck: boolean;
  /** In addition to the configured volumes. */
  readonly volumes?: readonly string[];
}

/** Selects the lines of a log, and whether to follow it. */
export interface LogQuery {
  readonly since?: string | undefined;
  readonly lines?: number | undefined;
  readonly grep?: string | undefined;
  /** Flags for grep, as typed. */
  readonly grepOptions?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
}

/** Builds the docker commands of one role of the app. Runs nothing. */
export class AppCommands {
  readonly config: Config;
  readonly role: Role;

  constructor(config: Config, role: Role) {
    this.config = config;
    this.role = role;
  }

  run(launch: Launch): Command {
    const { config, role } = this;
    const check = launch.healthcheck ? role.healthcheck : undefined;
    return withEnvironment(
      secretsOf(role.env, launch.secrets),
      docker(
        "run",
        "--detach",
        "--restart",
        launch.restart,
        "--name",
        launch.name,
        ...hostNameFlags(launch, role, config.network),
        ...(config.network === undefined ? [] : ["--network", config.network]),
        "-e",
        `MRSK_CONTAINER_NAME=${launch.name}`,
        "-e",
        `MRSK_VERSION=${launch.version}`,
        ...kamalVariables(config, launch),
        ...envFlags(role.env),
        ...(check ? healthFlags(check, { ...launch, deployTimeoutSeconds: config.deployTimeoutSeconds }) : []),
        ...logFlags(role.logging ?? config.logging, role.options, launch.logDriver),
        ...volumeFlags(config.volumes),
        ...each("--volume", launch.volumes ?? []),
        ...resolvedLabels(launch.labels),
        ...optionFlags(role.options),
        image(config, launch.version),
        ...words(role.cmd),
      ),
    );
  }

  start(name: string): Command {
    return docker("start", name);
  }

  rename(from: string, to: string): Command {
    return docker("rename", from, to);
  }

  remove(container: string): Command {
    return docker("container", "rm", container);
  }

  /** `docker ps` of the role's running containers. */
  details(): Command {
    return docker("ps", ...serviceFilters(this.config), "--filter", `label=role=${this.role.name}`);
  }

  execReuse(container: string, command: Command, options: ExecOptions = {}): Command {
    return execIn(container, command, options);
  }

  execNew(
    version: string,
    command: Command,
    secrets: ReadonlyMap<string, Secret>,
    options: OneOffOptions = {},
  ): Command {
    const { config, role } = this;
    const flags = [
      ...(config.network === undefined ? [] : ["--network", config.network]),
      ...envFlags(role.env),
      ...volumeFlags(config.volumes),
    ];
    return runOneOff(secretsOf(role.env, secrets), flags, image(config, version), command, options);
  }
}

/** The variables that Kamal 2 gives the containers of an app. */
function kamalVariables({ kamalVariables: wanted, destination }: Config, launch: Launch): string[] {
  if (!wanted) return [];
  const variables = {
    KAMAL_CONTAINER_NAME: launch.name,
    KAMAL_VERSION: launch.version,
    KAMAL_HOST: launch.host,
    ...(destination === undefined ? {} : { KAMAL_DESTINATION: destination }),
  };
  return Object.entries(variables).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
}

/** No flags if the container shares the host name of another container or of the host: docker refuses to set it. */
function hostNameFlags(launch: Launch, { options }: Role, network: string | undefined): Word[] {
  const networks = [network, options.get("network"), options.get("net")];
  const isShared = networks.some((name) => typeof name === "string" && name.startsWith("container:"));
  return isShared || options.get("uts") === "host" ? [] : ["--hostname", hostName(launch)];
}

/** At most 64 characters, the limit of Linux. Begins with a letter or a digit, even if the host is `::1`. */
function hostName({ host, suffix }: Launch): string {
  const readable = hostPart(host)
    .replaceAll(/[^A-Za-z0-9.-]/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 51)
    .replace(/[^A-Za-z0-9]+$/, "");
  return `${readable || "host"}-${suffix}`;
}

/** `--filter label=service=S [--filter label=destination=D]`. */
function serviceFilters(config: Config): string[] {
  const destination = config.destination === undefined ? [] : ["--filter", `label=destination=${config.destination}`];
  return ["--filter", `label=service=${config.service}`, ...destination];
}

export function listContainers(config: Config): Command {
  return docker("container", "ls", "--all", ...serviceFilters(config));
}

export function listImages(config: Config): Command {
  return docker("image", "ls", config.repository);
}

export function tagLatest(config: Config, version: string): Command {
  return docker("tag", image(config, version), latestImage(config));
}

/** Removes every unused image of the service, including images without its label. */
export function removeImages(config: Config): Shell {
  return call("remove_images", config.service, config.repository, latestImage(config));
}

// BusyBox's grep exits with an error at this flag.
const UNBUFFERED = raw("$(echo y | grep -q --line-buffered y 2>/dev/null && echo --line-buffered)");

/** `docker logs` of one container, standard error merged into standard output for grep. */
export function logs(container: string, query: LogQuery): Command {
  const command = docker(
    "logs",
    ...(query.since === undefined ? [] : ["--since", query.since]),
    ...(query.lines === undefined ? [] : ["--tail", query.lines]),
    query.timestamps && "--timestamps",
    query.follow && "--follow",
    container,
    raw("2>&1"),
  );
  if (query.grep === undefined) return command;
  const unbuffered = query.follow ? [UNBUFFERED] : [];
  return pipe(command, ["grep", ...unbuffered, ...words(query.grepOptions), "-e", query.grep]);
}
