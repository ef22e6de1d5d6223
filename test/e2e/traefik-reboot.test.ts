import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Load } from "./load.ts";
import { ORIGINAL_TRAEFIK, originalApp, pullOn } from "./original.ts";
import { ask, lab, onServer, Project, succeeded, sweep } from "./project.ts";

const SERVERS = ["a", "b"] as const;
type Server = (typeof SERVERS)[number];

const service = "reboot";
const image = `${lab["LAB_REGISTRY"]}/lab/${service}:orig1`;

async function until(what: () => Promise<boolean>, seconds = 20): Promise<void> {
  for (let tries = 0; tries < seconds * 10 && !(await what()); tries++)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

/** What an interrupted reboot could have left: containers beside Traefik's, rules of the packet filter. */
const left = (server: Server) =>
  onServer(
    server,
    "docker ps -a --filter name=^traefik- --format '{{.Names}} {{.Status}}'; iptables -t nat -S | grep mrsk-swap || true",
  );

const state = (server: Server) =>
  onServer(server, "docker inspect -f '{{.State.Status}} {{.HostConfig.RestartPolicy.Name}}' traefik");

/** What a command says on a server, without SSH. */
async function inside(server: Server, command: string): Promise<string> {
  const { stdout } = await execa("docker", [
    "exec",
    lab[`LAB_${server.toUpperCase()}_CONTAINER`]!,
    "sh",
    "-c",
    command,
  ]);
  return stdout.trim();
}

/** The host as the original left it: its Traefik, its app, no live files. */
async function originals(server: Server): Promise<void> {
  await sweep(server);
  await onServer(server, ORIGINAL_TRAEFIK);
  await onServer(server, originalApp(service, "web", image));
  await until(async () => (await ask(server, "/up")).status === 200);
}

describe("a reboot of Traefik", () => {
  const project = new Project(service);
  const address = (server: Server) => lab[`LAB_${server.toUpperCase()}`]!;

  const configure = (traefik: Record<string, unknown> = {}, ssh: Record<string, unknown> = {}) =>
    project.configure({
      servers: SERVERS.map(address),
      stop_wait_time: 3,
      traefik,
      ssh: { keys: [lab["LAB_KEY"]], config: [`${project.folder}/ssh_config`], ...ssh },
    });

  /** Works on one server under load. Kept connections may be closed, so what they carried is sent again. */
  const underLoad = async <T>(what: string, server: Server, slow: boolean, work: () => Promise<T>): Promise<T> => {
    const load = new Load(`http://${address(server)}`, { perSecond: 100, slow, resend: true });
    await load.reached(200);
    const result = await work();
    const { requests } = load;
    await load.reached(requests + 300);
    const seen = await load.stop();
    console.log(
      `${what}: ${seen.lost.length} of ${seen.requests} lost, largest delay ${seen.worstMilliseconds} ms, ${seen.resent} sent again on a new connection`,
    );
    expect(seen.lost).toEqual([]);
    return result;
  };

  const reboot = (server: Server) => project.mrsk("traefik", "reboot", "-y", "-h", address(server));

  const isWhole = async (server: Server) => {
    expect(await left(server)).toBe("");
    expect(await state(server)).toBe("running unless-stopped");
    expect((await ask(server, "/up")).status).toBe(200);
  };

  beforeAll(async () => {
    await sweep(...SERVERS);
    configure();
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    await project.commit("First");
    succeeded(await project.mrsk("build", "push", "--version", "orig1"));
    await Promise.all(SERVERS.map((server) => pullOn(server, image)));
    await Promise.all(SERVERS.map(originals));
  });
  afterAll(() => sweep(...SERVERS));

  test.each(SERVERS)("gives a host of the original live files, and loses nothing (server %s)", async (server) => {
    const ran = await underLoad(`from the original, server ${server}`, server, true, () => reboot(server));
    expect(succeeded(ran).stderr).toContain("Traefik is new, no connection was refused");
    expect(await onServer(server, "docker inspect -f '{{.Args}}' traefik")).toContain("--providers.file.directory");
    await isWhole(server);
  });

  test("whose mrsk is killed at any step is settled by the next reboot, boot or deploy", async () => {
    const steps = [
      "Start a second Traefik:",
      "New connections go to the second",
      "The old one finishes",
      "Start the new one",
    ];
    const nexts = [["traefik", "boot"], ["traefik", "reboot", "-y"], ["redeploy"], ["traefik", "boot"]];
    await underLoad("mrsk killed four times", "b", false, async () => {
      for (const [i, marker] of steps.entries()) {
        const running = project.start("traefik", "reboot", "-y", "-v", "-h", address("b"));
        let seen = false;
        running.stderr.on("data", (text: Buffer) => {
          if (seen || !text.toString().includes(marker)) return;
          seen = true;
          running.kill("SIGKILL");
        });
        await running;
        expect(seen, marker).toBe(true);
        succeeded(await project.mrsk("lock", "release"));
        succeeded(await project.mrsk(...nexts[i]!, "-h", address("b")));
        await isWhole("b");
      }
    });
  });

  test("whose connection is cut goes on by itself", async () => {
    const rule = ["INPUT", "-p", "tcp", "--dport", "22", "-j", "DROP"];
    const network = (flag: "-I" | "-D") =>
      execa("docker", ["exec", lab["LAB_B_CONTAINER"]!, "iptables", flag, ...rule]);
    await underLoad("connection cut", "b", false, async () => {
      const running = project.start("traefik", "reboot", "-y", "-v", "-h", address("b"));
      let cut: Promise<unknown> | undefined;
      running.stderr.on("data", (text: Buffer) => {
        if (text.toString().includes("New connections go to the second")) cut ??= network("-I");
      });
      await until(async () => cut !== undefined);
      await cut;
      await until(async () => (await inside("b", "docker ps -a --format '{{.Names}}' | grep -c ^traefik")) === "1");
      running.kill("SIGKILL");
      await running;
      await network("-D");
      succeeded(await project.mrsk("lock", "release"));
    });
    await isWhole("b");
  });

  // Each is true from one moment of the swap on: its process is killed then, as if the server had run out of memory.
  test.each([
    ["the rules are there", "iptables -t nat -S PREROUTING | grep -q mrsk-swap", "itself"],
    ["the old one is renamed", "docker inspect traefik-old >/dev/null 2>&1", "next"],
  ])("whose swap is killed on the server when %s is settled", async (when, condition, by) => {
    await underLoad(`swap killed when ${when}`, "b", false, async () => {
      const killer = inside(
        "b",
        `end=$(($(date +%s) + 30)); until ${condition}; do [ $(date +%s) -lt $end ] || exit 1; done; for f in $(grep -sl 'mrsk-swap-[p]rocess' /proc/[0-9]*/cmdline); do kill -9 $(echo $f | cut -d/ -f3); done; echo killed`,
      );
      const running = project.start("traefik", "reboot", "-y", "-h", address("b"));
      expect(await killer).toBe("killed");
      if (by === "itself") {
        expect((await running).exitCode).toBe(5);
      } else {
        running.kill("SIGKILL");
        await running;
        expect(await left("b")).toContain("traefik-swap");
        succeeded(await project.mrsk("lock", "release"));
        succeeded(await project.mrsk("traefik", "reboot", "-y", "-h", address("b")));
      }
    });
    await isWhole("b");
  });

  test("with a bad argument leaves the old one serving, and says what Traefik says", async () => {
    configure({ args: { "entrypoints.http.nonsense": "1" } });
    const ran = await underLoad("bad argument", "b", false, () => reboot("b"));
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("Traefik was not replaced, the old one goes on serving");
    expect(ran.stderr).toContain("field not found, node: nonsense");
    await isWhole("b");
  });

  test("with an image that does not exist, or a port that is taken, leaves the old one serving", async () => {
    configure({ image: "traefik:v9.9.9" });
    const missing = await reboot("b");
    expect(missing.status).toBe(5);
    expect(missing.stderr).toContain("Pull Traefik's image failed");
    await isWhole("b");
    configure({ host_port: 22 });
    const taken = await underLoad("port taken", "b", false, () => reboot("b"));
    expect(taken.status).toBe(5);
    expect(taken.stderr).toContain("address already in use");
    await isWhole("b");
    configure();
  });

  test("by a user without root or sudo says what it costs, before and after", async () => {
    await onServer("b", "docker ps -aq --filter label=service=reboot | xargs -r docker rm -f >/dev/null");
    configure({}, { user: "deploy" });
    succeeded(await project.mrsk("deploy", "-h", address("b")));
    const ran = succeeded(await reboot("b"));
    expect(ran.stderr).toMatch(
      /connections will be refused for about half a second.*deploy is not root and has no sudo/,
    );
    expect(ran.stderr).toMatch(/Traefik is new, its ports were closed for \d+\.\d\d s/);
    await isWhole("b");
    configure({ args: { nonsense: "1" } }, { user: "deploy" });
    const refused = await reboot("b");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("field not found, node: nonsense");
    await isWhole("b");
  });

  test("rolling, goes host by host with the hooks around each, and asks first", async () => {
    configure();
    for (const hook of ["pre", "post"]) {
      project.write(`.mrsk/hooks/${hook}-traefik-reboot`, `#!/bin/sh\necho "${hook} $MRSK_HOSTS"\n`);
    }
    await execa("chmod", ["-R", "+x", `${project.folder}/.mrsk/hooks`]);
    const ran = succeeded(await project.mrsk("traefik", "reboot", "--rolling", "-y"));
    const said = ran.stderr.split("\n").flatMap((line) => /(?:pre|post) 127\S+|Traefik is new/.exec(line)?.[0] ?? []);
    const [a, b] = SERVERS.map(address);
    expect(said).toEqual([`pre ${a}`, "Traefik is new", `post ${a}`, `pre ${b}`, "Traefik is new", `post ${b}`]);
    const asked = await project.mrsk("traefik", "reboot");
    expect(asked).toMatchObject({ status: 0, stdout: expect.stringContaining("Aborted") as string });
  });
});
