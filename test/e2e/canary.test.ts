import { request } from "node:http";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Load } from "./load.ts";
import { ask, lab, onServer, Project, type Ran, succeeded, sweep } from "./project.ts";

const SERVERS = ["a", "b"] as const;
type Server = (typeof SERVERS)[number];
const address = (server: Server) => lab[`LAB_${server.toUpperCase()}`]!;

/** One request of a client. @returns the version that answered, and the cookie for the next request */
function visit(
  server: Server,
  path: string,
  cookie?: string,
): Promise<{ version: string; cookie: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = cookie === undefined ? {} : { cookie };
    const outgoing = request(`http://${address(server)}${path}`, { headers, agent: false }, (response) => {
      response.resume().on("end", () => {
        const set = response.headers["set-cookie"]?.[0]?.split(";")[0];
        resolve({ version: String(response.headers["x-version"]), cookie: set ?? cookie });
      });
    });
    outgoing.on("error", reject).end();
  });
}

async function visits(server: Server, count: number, cookie?: string): Promise<Map<string, number>> {
  const versions = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const { version } = await visit(server, "/version", cookie);
    versions.set(version, (versions.get(version) ?? 0) + 1);
  }
  return versions;
}

/** Sends requests until that version answers. @returns its cookie */
async function cookieFor(server: Server, wanted: string): Promise<string> {
  let kept: string | undefined;
  const answered = async () => {
    const { version, cookie } = await visit(server, "/version");
    kept = cookie;
    return version;
  };
  await expect.poll(answered, { timeout: 30_000, interval: 50 }).toBe(wanted);
  return kept!;
}

describe("a canary", () => {
  const project = new Project("trial");
  let old = "";
  let next = "";

  const commit = (round: string, env: Record<string, string> = {}, watch = 2) => {
    project.configure({
      servers: { web: SERVERS.map(address), workers: { hosts: [address("a")] } },
      env: { ROUND: round, ...env },
      healthcheck: { max_attempts: 4 },
      readiness_delay: 1,
      stop_wait_time: 3,
      boot: { watch },
    });
    project.write("round.txt", round);
    return project.commit(round);
  };

  const containers = async (server: Server) =>
    (await onServer(server, "docker ps --filter label=service=trial --format '{{.Names}}'")).split("\n").toSorted();
  const containersWith = (server: Server, version: string) =>
    [`trial-web-${version}`, ...(server === "a" ? [`trial-workers-${version}`] : [])].toSorted();

  /** Expects that this version alone is live and runs, on every server. */
  const expectOnly = async (version: string) => {
    for (const server of SERVERS) {
      expect(await containers(server)).toEqual(containersWith(server, version));
      expect((await ask(server, "/version")).text.trim()).toBe(version);
      expect(await onServer(server, "cat /var/lib/mrsk/traefik/trial-web.yml")).not.toMatch(/weighted|-canary|-last/);
    }
    expect(succeeded(await project.mrsk("lock", "status")).stdout).toBe("There is no deploy lock");
  };

  /** Runs `work` under load on both servers, and expects that no request is lost. */
  const underLoad = async (work: () => Promise<Ran>) => {
    const loads = SERVERS.map((server) => new Load(`http://${address(server)}`, { perSecond: 40 }));
    const ran = await work();
    const results = await Promise.all(loads.map((load) => load.stop()));
    for (const { requests, lost } of results) {
      console.log(`${lost.length} of ${requests} lost`);
      expect(lost).toEqual([]);
    }
    return succeeded(ran);
  };

  beforeAll(async () => {
    await sweep(...SERVERS);
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    old = await commit("first");
    succeeded(await project.mrsk("deploy"));
  });
  afterAll(() => sweep(...SERVERS));

  test("an invalid canary is refused before any change", async () => {
    for (const target of ["0", "100", "150%", "abc", SERVERS.map(address).join(",")]) {
      const ran = await project.mrsk("deploy", "--canary", target);
      expect(ran.status).toBe(2);
      expect(ran.stderr).toContain("--canary 10%");
    }
    const ran = await project.mrsk("promote");
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain("mrsk deploy --canary 10%");
    await expectOnly(old);
  });

  test("it gets its percentage of the requests on each host, and a client keeps its version", async () => {
    next = await commit("second");
    const ran = await underLoad(() => project.mrsk("deploy", "--canary", "30%"));
    expect(ran.stderr).toContain("mrsk promote");
    for (const server of SERVERS) {
      const seen = await visits(server, 100);
      expect(seen.get(next)).toBeGreaterThan(15);
      expect(seen.get(next)).toBeLessThan(45);
      for (const version of [old, next]) {
        expect(await visits(server, 20, await cookieFor(server, version))).toEqual(new Map([[version, 20]]));
      }
    }
    expect(await containers("a")).toEqual([`trial-web-${next}`, ...containersWith("a", old)].toSorted());
  });

  test("app version and details show it, and it is not stale", async () => {
    const text = `${old} 70%, canary ${next} 30%`;
    expect(succeeded(await project.mrsk("app", "version", "-r", "web")).stdout).toContain(text);
    expect(succeeded(await project.mrsk("details")).stdout).toContain(text);
    const stale = succeeded(await project.mrsk("app", "stale-containers", "--stop"));
    expect(stale.stdout).toBe("");
    expect(await containers("b")).toHaveLength(2);
  });

  test("after a stop and a start of the app it gets requests again", async () => {
    succeeded(await project.mrsk("app", "stop", "-h", address("b")));
    await expect.poll(() => ask("b", "/version").then(({ status }) => status)).toBe(503);
    succeeded(await project.mrsk("app", "start", "-h", address("b")));
    await cookieFor("b", next);
    await cookieFor("b", old);
  });

  test("after its crash the old version gets all requests, and `app start` starts it again", async () => {
    const cookie = await cookieFor("b", next);
    await visit("b", "/crash", cookie).catch(() => {});
    await expect.poll(() => containers("b")).toEqual(containersWith("b", old));
    expect(await visits("b", 50)).toEqual(new Map([[old, 50]]));
    expect(await visits("b", 5, cookie)).toEqual(new Map([[old, 5]]));
    expect(succeeded(await project.mrsk("app", "version", "-h", address("b"))).stdout).toContain(
      `${old}, canary ${next} (exited, no requests)`,
    );
    succeeded(await project.mrsk("app", "start", "-h", address("b")));
    await cookieFor("b", next);
  });

  test("after a restart of the server the old version gets all requests", async () => {
    await execa("docker", ["restart", lab["LAB_B_CONTAINER"]!]);
    await expect.poll(() => ask("b", "/up").then(({ status }) => status), { timeout: 60_000 }).toBe(200);
    expect(await visits("b", 50)).toEqual(new Map([[old, 50]]));
  });

  test("after promote it gets all requests on all hosts and in all roles", async () => {
    await underLoad(() => project.mrsk("promote"));
    await expectOnly(next);
    expect((await project.mrsk("promote")).status).toBe(2);
    expect(await onServer("a", "tail -n 1 .mrsk/releases-trial")).toContain(next);
    const running = await onServer("a", `docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' trial-web-${next}`);
    expect(running).toBe("unless-stopped");
    old = next;
  });

  test("after rollback the old version gets all requests", async () => {
    next = await commit("third");
    succeeded(await project.mrsk("redeploy", "--canary", "50"));
    await underLoad(() => project.mrsk("rollback"));
    await expectOnly(old);
    expect(await onServer("a", `docker inspect -f '{{.State.Status}}' trial-web-${next}`)).toBe("exited");
  });

  test("the next deploy reverts it first", async () => {
    succeeded(await project.mrsk("redeploy", "--canary", "50%"));
    old = await commit("fourth");
    const ran = await underLoad(() => project.mrsk("redeploy"));
    expect(ran.stderr).toContain("Revert the canary...");
    await expectOnly(old);
  });

  test("the next run finishes a promote or rollback that was killed", async () => {
    for (const [command, output] of [
      ["promote", "is live"],
      ["rollback", "Revert the canary..."],
    ] as const) {
      next = await commit(`killed ${command}`);
      succeeded(await project.mrsk("redeploy", "--canary", "50%"));
      const running = project.start(command);
      running.stderr.on("data", (text: Buffer) => text.toString().includes(output) && running.kill("SIGKILL"));
      expect((await running).signal).toBe("SIGKILL");
      succeeded(await project.mrsk("lock", "release"));
      await underLoad(() => project.mrsk(command));
      if (command === "promote") old = next;
      await expectOnly(old);
    }
  });

  test("an unhealthy canary changes nothing", async () => {
    await commit("unhealthy", { FAIL_HEALTH: "1" });
    const ran = await project.mrsk("redeploy", "--canary", "50%");
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain("did not become healthy");
    await expectOnly(old);
  });

  test("a canary that crashes during the watch is reverted on all hosts", async () => {
    const bad = await commit("crashing", {}, 6);
    const running = project.start("redeploy", "--canary", "50%");
    running.stderr.on("data", (text: Buffer) => {
      if (text.toString().includes("Watch the new")) void onServer("b", `docker kill trial-web-${bad}`);
    });
    const ended = await running;
    expect(ended.exitCode).toBe(6);
    expect(ended.stderr).toContain("did not stay up");
    await expectOnly(old);
  });

  test("by host: some hosts run only the new version, the others the old one", async () => {
    next = await commit("by host");
    succeeded(await underLoad(() => project.mrsk("redeploy", "--canary", address("b"))));
    expect(await containers("a")).toEqual(containersWith("a", old));
    expect(await containers("b")).toEqual(containersWith("b", next));
    expect(succeeded(await project.mrsk("app", "version")).stdout).toContain(`${next} (canary)`);
    succeeded(await project.mrsk("rollback"));
    await expectOnly(old);
    succeeded(await project.mrsk("redeploy", "--canary", address("b")));
    await underLoad(() => project.mrsk("promote"));
    await expectOnly(next);
    old = next;
  });

  test("a Traefik without live files supports no weighted canary", async () => {
    await onServer(
      "b",
      "docker rm -f traefik && docker run -d --name traefik -p 80:80 -v /var/run/docker.sock:/var/run/docker.sock traefik:v3.7.15 --providers.docker --entrypoints.http.address=:80",
    );
    const ran = await project.mrsk("redeploy", "--canary", "10%");
    expect(ran.status).toBe(5);
    expect(ran.stderr).toContain("mrsk traefik reboot");
    expect(await containers("a")).toEqual(containersWith("a", old));
  });
});
