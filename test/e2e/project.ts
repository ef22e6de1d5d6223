import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";

const ROOT = resolve(import.meta.dirname, "../..");
const LAB = join(ROOT, "test/lab");

/** The built program. Node runs it in the project's folder and environment. */
export const PROGRAM = join(ROOT, "bin/mrsk.cjs");

/** The lab's set of servers for this worker: `LAB_SET`, so that several checkouts can test concurrently, or one per worker. */
const set = process.env["LAB_SET"] ?? process.env["VITEST_POOL_ID"] ?? "1";

/** The variables of `test/lab/.state/env` for this worker's servers. @throws Error if the lab is not running */
export const lab: Readonly<Record<string, string>> = Object.fromEntries(
  readFileSync(join(LAB, ".state", set === "1" ? "env" : `env.${set}`), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("=", 2) as [string, string]),
);

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user's project: the lab's app in a git repository, with a deploy.yml and a .env. */
export class Project {
  readonly folder: string;
  readonly service: string;
  readonly environment: Readonly<Record<string, string>>;

  /** @param environment variables for commands in the project, in addition to those of this process */
  constructor(service: string, environment: Readonly<Record<string, string>> = {}) {
    this.service = service;
    this.folder = mkdtempSync(join(tmpdir(), `mrsk-${service}-`));
    cpSync(join(LAB, "app"), this.folder, { recursive: true });
    const docker = join(this.folder, ".docker-config");
    mkdirSync(docker);
    this.environment = {
      ...(process.env as Record<string, string>),
      DOCKER_CONFIG: docker,
      DOCKER_BUILDKIT: "0",
      NO_COLOR: "1",
      ...environment,
    };
    const known = `Host *\n  UserKnownHostsFile ${lab["LAB_KNOWN_HOSTS"]}\n  StrictHostKeyChecking yes\n`;
    writeFileSync(join(this.folder, "ssh_config"), known);
    this.write(".gitignore", ".env\n.docker-config\nssh_config\n");
  }

  write(path: string, text: string): void {
    const target = join(this.folder, path);
    mkdirSync(join(target, ".."), { recursive: true });
    writeFileSync(target, text);
  }

  /** Writes deploy.yml: the keys of every lab project, and `more`. */
  configure(more: Readonly<Record<string, unknown>>): void {
    const config = {
      service: this.service,
      image: `lab/${this.service}`,
      registry: {
        server: lab["LAB_REGISTRY"],
        username: lab["LAB_REGISTRY_USER"],
        password: ["MRSK_REGISTRY_PASSWORD"],
      },
      builder: { multiarch: false },
      ssh: { keys: [lab["LAB_KEY"]], config: [join(this.folder, "ssh_config")] },
      stop_wait_time: 5,
      ...more,
    };
    this.write("config/deploy.yml", stringify(config));
  }

  /** Commits everything. @returns the sha */
  async commit(message: string): Promise<string> {
    const git = (...words: string[]) =>
      execa("git", ["-c", "user.name=Lab", "-c", "user.email=lab@example.com", ...words], { cwd: this.folder });
    await git("init", "-q").catch(() => {});
    await git("add", "-A");
    await git("commit", "-qm", message);
    return (await git("rev-parse", "HEAD")).stdout;
  }

  /** Runs `mrsk` in the project, as a user does. */
  async mrsk(...words: readonly string[]): Promise<Ran> {
    return ranAs(await this.start(...words));
  }

  /** The same with a file of the project piped into it. */
  async mrskWithInput(file: string, ...words: readonly string[]): Promise<Ran> {
    return ranAs(await execa("node", [PROGRAM, ...words], { ...this.options, inputFile: join(this.folder, file) }));
  }

  /** Starts `mrsk` without waiting. */
  start(...words: readonly string[]) {
    return execa("node", [PROGRAM, ...words], { ...this.options, stdin: "ignore" });
  }

  private get options() {
    return { cwd: this.folder, env: this.environment, extendEnv: false, reject: false } as const;
  }
}

function ranAs({ exitCode, stdout, stderr }: { exitCode?: number; stdout: string; stderr: string }): Ran {
  return { status: exitCode ?? 128, stdout, stderr };
}

/** Output of a command on a lab server, as root. */
export async function onServer(server: string, command: string): Promise<string> {
  const words = [
    "-F",
    "none",
    "-i",
    lab["LAB_KEY"]!,
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    `UserKnownHostsFile=${lab["LAB_KNOWN_HOSTS"]}`,
  ];
  const { stdout } = await execa("ssh", [...words, `root@${lab[`LAB_${server.toUpperCase()}`]}`, command]);
  return stdout;
}

/** GET, or PUT with a body, on a new connection. Status 0 without an answer. */
export function ask(server: string, path: string, body?: string): Promise<{ status: number; text: string }> {
  const url = `http://${lab[`LAB_${server.toUpperCase()}`]}${path}`;
  return new Promise((done) => {
    const fail = (error: Error) => done({ status: 0, text: error.message });
    const outgoing = request(url, { method: body === undefined ? "GET" : "PUT", agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => done({ status: response.statusCode ?? 0, text })).on("error", fail);
    });
    outgoing.on("error", fail).end(body);
  });
}

/** Removes everything that tests left on the lab's servers. */
export async function sweep(...servers: readonly string[]): Promise<void> {
  await Promise.all(
    servers.map((server) =>
      onServer(
        server,
        "docker ps -aq | xargs -r docker rm -f >/dev/null; docker network prune -f >/dev/null; rm -rf .mrsk /var/lib/mrsk /home/*/.mrsk mrsk_lock mrsk-*-audit.log *-db",
      ),
    ),
  );
}

/** Expects exit status 0; the error has all output. */
export function succeeded(ran: Ran): Ran {
  if (ran.status !== 0) throw new Error(`exit status ${ran.status}\n${ran.stdout}\n${ran.stderr}`);
  return ran;
}
