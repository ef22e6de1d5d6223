import { execa } from "execa";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

export type Server = "a" | "b" | "c";

/** The version that answers on port 80, and the running containers. */
export interface ServerState {
  readonly answers: string;
  readonly running: string;
}

export const address = (server: Server) => lab[`LAB_${server.toUpperCase()}`]!;
const containerOf = (server: Server) => lab[`LAB_${server.toUpperCase()}_CONTAINER`]!;

/** One service on several servers, which may have different variables. */
export class Fleet {
  readonly project: Project;
  readonly servers: readonly Server[];

  constructor(service: string, servers: readonly Server[]) {
    this.project = new Project(service);
    this.servers = servers;
  }

  /** Sweeps the servers and deploys. @returns the sha of the version */
  async start(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    // A failed test may have left a server cut off.
    for (const server of this.servers) while (await network(server, "restore")) continue;
    await sweep(...this.servers);
    return this.first(more);
  }

  /** The first deploy on swept servers. @returns the sha of the version */
  async first(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    this.project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    const version = await this.round("good", {}, more);
    succeeded(await this.project.mrsk("deploy"));
    return version;
  }

  /**
   * Commits a new version, without deploying it.
   * @param env variables by server
   * @returns its sha
   */
  round(
    name: string,
    env: Partial<Record<Server, Record<string, string>>> = {},
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const tags = Object.fromEntries(this.servers.map((server) => [server, { AT: server, ...env[server] }]));
    this.project.configure({
      servers: this.servers.map((server) => ({ [address(server)]: server })),
      env: { clear: { ROUND: name }, tags },
      healthcheck: { max_attempts: 5 },
      boot: { watch: 3 },
      stop_wait_time: 3,
      ...more,
    });
    this.project.write("round.txt", name);
    return this.project.commit(name);
  }

  async state(): Promise<Record<string, ServerState>> {
    const all = await Promise.all(this.servers.map(async (server) => [server, await this.stateOf(server)] as const));
    return Object.fromEntries(all);
  }

  private async stateOf(server: Server): Promise<ServerState> {
    const filter = `label=service=${this.project.service}`;
    return {
      answers: (await ask(server, "/version")).text.trim(),
      running: await onServer(server, `docker ps --filter ${filter} --format '{{.Names}}' | sort | xargs`),
    };
  }

  /** The result of `state` if that version alone runs on every server. */
  everywhere(version: string): Record<string, ServerState> {
    const one = { answers: version, running: `${this.project.service}-web-${version}` };
    return Object.fromEntries(this.servers.map((server) => [server, one]));
  }

  /** Logs the state of the servers and the lock in one line. */
  async logState(failure: string): Promise<void> {
    const seen = await this.state();
    const lock = succeeded(await this.project.mrsk("lock", "status")).stdout.trim();
    const parts = Object.entries(seen).map(
      ([server, { answers, running }]) => `${server} answers ${answers.slice(0, 7)}, runs ${running.replaceAll(/([0-9a-f]{7})[0-9a-f]{33}/g, "$1")}`,
    ); // biome-ignore format: one line
    console.log(`${failure}: ${parts.join("; ")}; ${lock}`);
  }

  async locked(): Promise<boolean> {
    return succeeded(await this.project.mrsk("lock", "status")).stdout.trim() !== "There is no deploy lock";
  }

  /** Starts mrsk, and runs `work` once when its output contains `text`. @returns `met`: whether `work` ran */
  async during(words: readonly string[], text: string, work: () => unknown) {
    const running = this.project.start(...words);
    let shown = "";
    let work_: Promise<unknown> | undefined;
    running.stderr.on("data", (piece: Buffer) => {
      shown += piece.toString();
      if (work_ === undefined && shown.includes(text)) work_ = Promise.resolve(work());
    });
    const ended = await running;
    await work_;
    return { status: ended.exitCode, stderr: ended.stderr, met: work_ !== undefined };
  }
}

/** Runs a command in the server's container, without its sshd and its engine. */
export function inServer(server: Server, ...words: readonly string[]) {
  return execa("docker", ["exec", containerOf(server), ...words], { reject: false });
}

/** Restarts the server's container: all processes end, as in a reboot. */
export async function reboot(server: Server): Promise<void> {
  await execa("docker", ["restart", "-t", "1", containerOf(server)]);
  await answering(server);
}

/** Waits until sshd and the engine answer again. */
export async function answering(server: Server): Promise<void> {
  for (let tries = 0; tries < 120; tries++) {
    const answered = await onServer(server, "docker info >/dev/null 2>&1 && echo yes").catch(() => "");
    if (answered === "yes") return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`server ${server} does not come back`);
}

/**
 * Drops the SSH packets to a server, also of open connections, or restores them.
 * @returns whether the rule was added or removed
 */
export async function network(server: Server, what: "cut" | "restore"): Promise<boolean> {
  const rule = ["INPUT", "-p", "tcp", "--dport", "22", "-j", "DROP"];
  return (await inServer(server, "iptables", what === "cut" ? "-I" : "-D", ...rule)).exitCode === 0;
}
