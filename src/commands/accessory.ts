import type { Accessory, Config, Proxy } from "../config/config.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { Secret } from "../config/env/secret.ts";
import { envFlags, labelled, optionFlags, secretsOf, volumeFlags, words } from "./arguments.ts";
import { call } from "../script/call.ts";
import { type Command, docker, lines, raw, type Shell, sh, type Word, withEnvironment } from "../script/command.ts";
import { accessoryLabels } from "../traefik/labels.ts";
import { deadlineSeconds } from "./healthcheck.ts";
import { type EngineDriver, logFlags } from "./logging.ts";
import { type ExecOptions, execIn, type OneOffOptions, runOneOff } from "./one-off.ts";

/** Builds the docker commands of one accessory. Runs nothing. */
export class AccessoryCommands {
  readonly config: Config;
  readonly accessory: Accessory;

  constructor(config: Config, accessory: Accessory) {
    this.config = config;
    this.accessory = accessory;
  }

  /**
   * @param home absolute path of the login user's home directory, which contains the accessory's folder
   * @param host as configured
   */
  run(
    home: string,
    secrets: ReadonlyMap<string, Secret>,
    { engine, host }: { readonly engine: EngineDriver; readonly host: string },
  ): Command {
    const { accessory, config } = this;
    return withEnvironment(
      secretsOf(accessory.env, secrets),
      docker(
        "run",
        "--name",
        accessory.service,
        "--detach",
        // Docker refuses a restart policy together with --rm.
        ...(accessory.options.has("rm") ? [] : ["--restart", "unless-stopped"]),
        ...this.network(),
        ...logFlags(config.logging, accessory.options, engine),
        ...(accessory.publish === undefined ? [] : ["--publish", accessory.publish]),
        ...(config.kamalVariables ? ["-e", `KAMAL_HOST=${host}`] : []),
        ...envFlags(accessory.env),
        ...this.volumes(home),
        ...labelled("--label", accessoryLabels(config, accessory)),
        ...optionFlags(accessory.options),
        accessory.image,
        ...words(accessory.cmd),
      ),
    );
  }

  private network(): string[] {
    const network = this.accessory.network ?? this.config.network;
    return network === undefined ? [] : ["--network", network];
  }

  private volumes(home: string): Word[] {
    const { accessory } = this;
    const folder = `${home}/${accessory.service}`;
    const own = [
      ...accessory.files.map(({ remote, mountOptions }) => {
        return [`${folder}${remote}`, remote, ...(mountOptions === undefined ? [] : [mountOptions])].join(":");
      }),
      ...accessory.directories.map(({ source, target, mountOptions }) => {
        const path = source.startsWith("/") ? source : `${folder}/${source}`;
        return [path, target, ...(mountOptions === undefined ? [] : [mountOptions])].join(":");
      }),
    ];
    return volumeFlags([...accessory.volumes, ...own]);
  }

  createDirectories(): Shell {
    return lines(
      sh`:`,
      ...this.accessory.directories.flatMap(({ source, mode, owner }) => {
        const own = !source.startsWith("/");
        const path = own ? `${this.accessory.service}/${source}` : source;
        return [...(own || mode || owner ? [sh`mkdir -p ${path}`] : []), ...access(path, mode, owner)];
      }),
    );
  }

  /** Pulls the image. If the registry does not answer, an image on the host is enough. */
  pull(): Shell {
    const { image } = this.accessory;
    return sh`docker pull ${image} || { docker image inspect ${image} >/dev/null 2>&1 && echo "using the image on the host"; }`;
  }

  /** Writes one file into the accessory's folder. The content may be binary or secret, so it is never an argument. */
  upload(remote: string, mode: string, base64: Secret, owner?: string): Shell {
    const path = `${this.accessory.service}${remote}`;
    const folder = path.slice(0, path.lastIndexOf("/"));
    return lines(
      sh`mkdir -p ${folder}
rm -f ${`${path}.new`}; (umask 077; printf '%s' ${base64} | base64 -d >${`${path}.new`})`,
      ...access(`${path}.new`, mode, owner),
      sh`mv -f ${`${path}.new`} ${path}`,
    );
  }

  /** Makes the folder that files are uploaded into. */
  createFolder(remote: string, mode: string, owner?: string): Shell {
    const path = `${this.accessory.service}${remote}`;
    return lines(sh`mkdir -p ${path}`, ...access(path, mode, owner));
  }

  start(): Command {
    return docker("container", "start", this.accessory.service);
  }

  stop(): Command {
    return docker("container", "stop", this.accessory.service);
  }

  /** Prints the container's state (`running`, `exited`, …), or nothing if there is no container. */
  state(): Shell {
    return sh`docker inspect --type container --format '{{.State.Status}}' ${this.accessory.service} 2>/dev/null || true`;
  }

  /** Prints the labels of the container as JSON, or nothing if there is no container. */
  labels(): Shell {
    return sh`docker inspect --type container --format '{{json .Config.Labels}}' ${this.accessory.service} 2>/dev/null || true`;
  }

  /**
   * Waits until the container answers at its address as `proxy.healthcheck` demands. Exits with NOT_HEALTHY and
   * diagnostics.
   */
  waitForAnswer({ appPort, healthcheck }: Proxy): Shell {
    const { pathname, search } = new URL(healthcheck.path, `http://localhost:${appPort}`);
    return call(
      "wait_target",
      this.accessory.service,
      appPort,
      `${pathname}${search}`,
      Math.ceil(deadlineSeconds(undefined, this.config.deployTimeoutSeconds)),
      healthcheck.intervalSeconds,
      healthcheck.timeoutSeconds,
      DEFAULTS.logLines,
    );
  }

  details(): Command {
    return docker("ps", "--filter", `name=^${this.accessory.service}$`);
  }

  execReuse(command: Command, options: ExecOptions = {}): Command {
    return execIn(this.accessory.service, command, options);
  }

  /** @param home as for `run` */
  execNew(home: string, command: Command, secrets: ReadonlyMap<string, Secret>, options: OneOffOptions = {}): Command {
    const { accessory } = this;
    const flags = [...this.network(), ...envFlags(accessory.env), ...this.volumes(home)];
    return runOneOff(secretsOf(accessory.env, secrets), flags, accessory.image, command, options);
  }

  /** Removes by name: another service may have the same label. A missing container is no error. */
  removeContainer(): Shell {
    const { service } = this.accessory;
    return sh`[ -z "$(${this.state()})" ] || docker container rm ${service}`;
  }

  removeImage(): Command {
    return docker("image", "rm", "--force", this.accessory.image);
  }

  /** Files that a container wrote may belong to root. If the login user cannot remove them, a container does. */
  removeDirectory(): Shell {
    const { service, image } = this.accessory;
    const wipe = docker(
      "run",
      "--rm",
      "--user",
      "0",
      "--entrypoint",
      "sh",
      "--volume",
      raw('"$PWD":/home-of-login'),
      image,
    );
    return sh`rm -rf ${service} 2>/dev/null || ${wipe} -c ${`rm -rf '/home-of-login/${service}'`}`;
  }
}

/** Sets the permissions and the owner of a file or folder. Only root may give a file away. */
function access(path: string, mode: string | undefined, owner: string | undefined): Shell[] {
  return [
    ...(mode === undefined ? [] : [sh`chmod ${mode} ${path}`]),
    ...(owner === undefined ? [] : [sh`chown ${owner} ${path}`]),
  ];
}
