import { execa } from "execa";
import { expect } from "vitest";
import { Load } from "./load.ts";
import { ORIGINAL_TRAEFIK, originalApp, pullOn } from "./original.ts";
import { ask, lab, onServer, Project, type Ran, succeeded, sweep } from "./project.ts";

const SHORT_KEEP_ALIVE = { "entrypoints.http.transport.keepAliveMaxTime": "2s" };

/** A project whose servers MRSK has set up: its Traefik, its app, no live files. */
export class TakenOver {
  readonly project: Project;
  readonly servers: readonly string[];

  constructor(service: string, servers: readonly string[]) {
    this.project = new Project(service);
    this.servers = servers;
  }

  address(server: string): string {
    return lab[`LAB_${server.toUpperCase()}`]!;
  }

  /** Traefik keeps connections for 2 s instead of 15, so that no test waits for them. */
  configure(traefik: Record<string, unknown> = {}, ssh: Record<string, unknown> = {}): void {
    this.project.configure({
      servers: this.servers.map((server) => this.address(server)),
      stop_wait_time: 3,
      boot: { watch: 1 },
      traefik: { ...traefik, args: { ...SHORT_KEEP_ALIVE, ...(traefik["args"] as object | undefined) } },
      ssh: { keys: [lab["LAB_KEY"]], config: [`${this.project.folder}/ssh_config`], ...ssh },
    });
  }

  async prepare(): Promise<void> {
    const { service } = this.project;
    const image = `${lab["LAB_REGISTRY"]}/lab/${service}:orig1`;
    await sweep(...this.servers);
    this.configure();
    this.project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    await this.project.commit("First");
    succeeded(await this.project.mrsk("build", "push", "--version", "orig1"));
    const original = async (server: string) => {
      await pullOn(server, image);
      await onServer(server, ORIGINAL_TRAEFIK);
      await onServer(server, originalApp(service, "web", image));
      await until(async () => (await ask(server, "/up")).status === 200);
    };
    await Promise.all(this.servers.map(original));
  }

  reboot(server: string): Promise<Ran> {
    return this.project.mrsk("traefik", "reboot", "-y", "-h", this.address(server));
  }

  /**
   * Runs `work` while requests are sent to one server.
   * @param resend whether a request is sent again if its kept connection is closed: MRSK's Traefik, and one that is
   * killed, close connections without notice
   */
  async underLoad<T>(
    what: string,
    server: string,
    { slow = false, resend = true }: { slow?: boolean; resend?: boolean },
    work: () => Promise<T>,
  ): Promise<T> {
    const load = new Load(`http://${this.address(server)}`, { perSecond: 100, slow, resend });
    await load.reached(200);
    const returned = await work();
    const { requests } = load;
    await load.reached(requests + 300);
    const result = await load.stop();
    console.log(
      `${what}: ${result.lost.length} of ${result.requests} lost, largest delay ${result.worstMilliseconds} ms, ${result.resent} sent again on a new connection`,
    );
    if (result.lost.length > 0) throw new Error(`${what}: lost\n${result.lost.join("\n")}`);
    return returned;
  }
}

/** Polls the condition for 30 s at most. The caller checks the result. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300 && !(await condition()); tries++)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

/** Leftovers of an interrupted reboot: other containers of Traefik, rules of the packet filter. */
export function leftoversOn(server: string): Promise<string> {
  return onServer(
    server,
    "docker ps -a --filter name=^traefik- --format '{{.Names}} {{.Status}}'; iptables -t nat -S | grep mrsk-swap || true",
  );
}

/** Expects one Traefik with a restart policy, no leftovers, and an app that answers. */
export async function expectOneTraefik(server: string): Promise<void> {
  expect(await leftoversOn(server)).toBe("");
  const state = "docker inspect -f '{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}' traefik";
  expect(await onServer(server, state)).toBe("running unless-stopped");
  expect((await ask(server, "/up")).status).toBe(200);
}

/** Output of a command on a server, without SSH. */
export async function inside(server: string, ...words: readonly string[]): Promise<string> {
  const { stdout } = await execa("docker", ["exec", lab[`LAB_${server.toUpperCase()}_CONTAINER`]!, ...words]);
  return stdout.trim();
}
