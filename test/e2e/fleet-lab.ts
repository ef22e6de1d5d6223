import { execa } from "execa";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

export type Server = "a" | "b" | "c";

/** What a server shows: what answers on port 80, what runs, and which restart policies would revive. */
export interface Seen {
  readonly answers: string;
  readonly running: string;
}

export const address = (server: Server) => lab[`LAB_${server.toUpperCase()}`]!;
const containerOf = (server: Server) => lab[`LAB_${server.toUpperCase()}_CONTAINER`]!;

/** One service on several servers, each with variables of its own where a test wants them. */
export class Fleet {
  readonly project: Project;
  readonly servers: readonly Server[];

  constructor(service: string, servers: readonly Server[]) {
    this.project = new Project(service);
    this.servers = servers;
  }

  /** @returns the sha of the version that runs then */
  async start(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    // A test that ended while one was cut off left it so.
    for (const server of this.servers) while (await network(server, "mend")) continue;
    await sweep(...this.servers);
    return this.first(more);
  }

  /** The first deploy, on servers that are swept. */
  async first(more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    this.project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    const version = await this.round("good", {}, more);
    succeeded(await this.project.mrsk("deploy"));
    return version;
  }

  /**
   * A new version, committed, not deployed.
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

  async seen(): Promise<Record<string, Seen>> {
    const all = await Promise.all(this.servers.map(async (server) => [server, await this.seenOn(server)] as const));
    return Object.fromEntries(all);
  }

  private async seenOn(server: Server): Promise<Seen> {
    const filter = `label=service=${this.project.service}`;
    return {
      answers: (await ask(server, "/version")).text.trim(),
      running: await onServer(server, `docker ps --filter ${filter} --format '{{.Names}}' | sort | xargs`),
    };
  }

  /** What `seen` says where every server has one version, and nothing else runs. */
  everywhere(version: string): Record<string, Seen> {
    const one = { answers: version, running: `${this.project.service}-web-${version}` };
    return Object.fromEntries(this.servers.map((server) => [server, one]));
  }

  /** One line for a report. */
  async tell(failure: string): Promise<void> {
    const seen = await this.seen();
    const lock = succeeded(await this.project.mrsk("lock", "status")).stdout.trim();
    const parts = Object.entries(seen).map(
      ([server, { answers, running }]) => `${server} answers ${answers.slice(0, 7)}, runs ${running.replaceAll(/([0-9a-f]{7})[0-9a-f]{33}/g, "$1")}`,
    ); // biome-ignore format: one line
    console.log(`${failure}: ${parts.join("; ")}; ${lock}`);
  }

  async locked(): Promise<boolean> {
    return succeeded(await this.project.mrsk("lock", "status")).stdout.trim() !== "There is no deploy lock";
  }

  /** Starts mrsk, and does something once when its output has a text. */
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

/** A command in the container that a server is: not through its sshd, nor its engine. */
export function inServer(server: Server, ...words: readonly string[]) {
  return execa("docker", ["exec", containerOf(server), ...words], { reject: false });
}

/** As a reboot: everything on it ends, and starts again by itself. */
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
 * Cuts the SSH traffic to a server, or lets it pass again: what is under way hears nothing more.
 * @returns whether there was something to do
 */
export async function network(server: Server, what: "cut" | "mend"): Promise<boolean> {
  const rule = ["INPUT", "-p", "tcp", "--dport", "22", "-j", "DROP"];
  return (await inServer(server, "iptables", what === "cut" ? "-I" : "-D", ...rule)).exitCode === 0;
}
