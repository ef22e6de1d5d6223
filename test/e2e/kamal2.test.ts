import { chmodSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { address } from "./fleet-lab.ts";
import { Load } from "./load.ts";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";
import { visit } from "./site.ts";
import { maskedFrame } from "./streams.ts";

const PASSWORD = "MRSK_REGISTRY_PASSWORD=$(cat registry-password)\n";
/** Runs in the newest container while the deploy holds the lock. */
const HOOK = `#!/bin/sh
kamal app exec --reuse -r web "printenv KAMAL_VERSION" >"$1.log" && echo "$KAMAL_LOCK $KAMAL_HOSTS" >>"$1.log"
`;

/** The answer of `shop.test` on server a, to GET or, with a body, to POST. */
function shop(path: string, body?: string): Promise<{ status: number; text: string; milliseconds: number }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const outgoing = request(
      `http://${address("a")}${path}`,
      { method, headers: HEADERS, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("error", reject).on("end", () => {
          resolve({ status: response.statusCode ?? 0, text, milliseconds: performance.now() - began });
        });
      },
    );
    outgoing.on("error", reject).end(body);
  });
}

/** The number of events that arrive in this time. Rejects if the stream ends before. */
function eventsFor(milliseconds: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`http://${address("a")}/events`, { headers: HEADERS, agent: false }, (response) => {
      let events = 0;
      response.on("data", () => events++).on("end", () => reject(new Error(`ended after ${events} events`)));
      setTimeout(() => {
        resolve(events);
        outgoing.destroy();
      }, milliseconds);
    });
    outgoing.on("error", reject).end();
  });
}

/** The answer to a frame that a WebSocket sends after this time. */
function echoAfter(milliseconds: number): Promise<string> {
  const headers = {
    ...HEADERS,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(`http://${address("a")}/`, { headers, agent: false });
    outgoing.on("upgrade", (_, socket) => {
      setTimeout(() => socket.write(maskedFrame("late")), milliseconds);
      socket.on("error", reject).on("close", () => reject(new Error("closed")));
      socket.on("data", (frame: Buffer) => {
        resolve(frame.subarray(2).toString());
        socket.destroy();
      });
    });
    outgoing
      .on("response", ({ statusCode }) => reject(new Error(`status ${statusCode}`)))
      .on("error", reject)
      .end();
  });
}

const HEADERS = { host: "shop.test" };

describe("a project of Kamal 2", () => {
  const project = new Project("shop");
  let first = "";
  let second = "";

  const configure = (responseTimeout: number) =>
    project.configure({
      // The lab has no BuildKit for every project.
      builder: { arch: process.arch === "arm64" ? "arm64" : "amd64", driver: "docker" },
      stop_wait_time: undefined,
      stop_timeout: 5,
      boot: { watch: 1 },
      drain_timeout: 5,
      readiness_delay: 1,
      servers: {
        web: [address("a")],
        api: {
          hosts: [address("a")],
          proxy: { path_prefix: "/api", buffering: { max_request_body: 1000, max_response_body: 600 } },
        },
        wild: {
          hosts: [address("a")],
          proxy: {
            hosts: ["*.wild.test"],
            app_port: 4000,
            path_prefixes: ["/env/KAMAL_CONTAINER_NAME", "/other"],
            strip_path_prefix: false,
          },
          env: { clear: { PORT: 4000 } },
        },
        workers: { hosts: [address("b")] },
      },
      proxy: {
        hosts: ["shop.test", "www.shop.test"],
        app_port: 3000,
        response_timeout: responseTimeout,
        healthcheck: { path: "/up", interval: 2, timeout: 3 },
      },
      env: { clear: { COLOUR: "red" }, secret: ["GREETING", "RENAMED:FETCHED"] },
    });

  const inspect = (format: string, name: string, server: "a" | "b" = "a") =>
    onServer(server, `docker inspect -f '${format}' ${name}`);

  beforeAll(async () => {
    await sweep("a", "b");
    await onServer("a", "rm -rf .kamal");
    await onServer("b", "rm -rf .kamal");
    configure(2);
    project.write(
      "config/deploy.staging.yml",
      stringify({ servers: { web: [address("b")] }, proxy: { hosts: ["staging.shop.test"] } }),
    );
    project.write("registry-password", `${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    project.write(".gitignore", "registry-password\n.docker-config\nssh_config\n*.log\n");
    project.write(
      ".kamal/secrets-common",
      `SECRETS=$(kamal secrets fetch --adapter test --account me --from vault FIRST SECOND)
FETCHED=$(kamal secrets extract SECOND $SECRETS)
`,
    );
    project.write(".kamal/secrets", `${PASSWORD}GREETING="$(echo hello) world"\n`);
    project.write(".kamal/secrets.staging", `${PASSWORD}GREETING=$(echo "from $KAMAL_DESTINATION")\n`);
    for (const hook of ["post-app-boot", "post-deploy"]) {
      project.write(`.kamal/hooks/${hook}`, HOOK.replaceAll("$1", hook));
      chmodSync(join(project.folder, ".kamal/hooks", hook), 0o755);
    }
    first = await project.commit("First");
    succeeded(await project.mrsk("deploy"));
  });
  afterAll(async () => {
    await sweep("a", "b");
    await onServer("a", "rm -rf .kamal");
    await onServer("b", "rm -rf .kamal");
  });

  test("containers have the network, the labels and the variables of Kamal", async () => {
    for (const [server, role] of [
      ["a", "web"],
      ["a", "api"],
      ["a", "wild"],
      ["b", "workers"],
    ] as const) {
      const name = `shop-${role}-${first}`;
      const networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
      expect((await inspect(networks, name, server)).trim()).toBe("kamal");
      expect(await inspect("{{json .Config.Labels.destination}}", name, server)).toBe('""');
      expect(JSON.parse(await inspect("{{json .Config.Env}}", name, server))).toEqual(
        expect.arrayContaining([
          `KAMAL_CONTAINER_NAME=${name}`,
          `KAMAL_VERSION=${first}`,
          `KAMAL_HOST=${address(server)}`,
          "COLOUR=red",
        ]),
      );
    }
    expect(await inspect("{{json .Config.Healthcheck.Timeout}} {{json .Config.Healthcheck.Interval}}", `shop-web-${first}`)).toBe("3000000000 2000000000"); // biome-ignore format: one line
    expect(await onServer("b", "docker ps --format '{{.Names}}'")).toBe(`shop-workers-${first}`);
    expect(await onServer("a", "ls -d .kamal .mrsk 2>/dev/null || true")).toBe(".kamal");
  });

  test("secrets are the values of commands, of kamal secrets, and of a secret with another name", async () => {
    expect(await shop("/env/GREETING")).toMatchObject({ status: 200, text: "hello world" });
    expect(await shop("/env/RENAMED")).toMatchObject({ status: 200, text: "DNOCES/tluav" });
    expect(await shop("/env/FETCHED")).toMatchObject({ status: 404 });
  });

  test("requests reach the role of their host and of the longest prefix", async () => {
    expect(await shop("/version")).toMatchObject({ status: 200, text: `${first}\n` });
    expect(await visit("a", "www.shop.test", "/version")).toBe(`200 ${first}`);
    expect(await shop("/api")).toMatchObject({ status: 200, text: "hello from lab app\n" });
    expect(await shop("/api/env/KAMAL_CONTAINER_NAME")).toMatchObject({ text: `shop-api-${first}` });
    expect(await shop("/apix/version")).toMatchObject({ status: 404, text: "no such page\n" });
    expect(await shop("/env/KAMAL_CONTAINER_NAME")).toMatchObject({ text: `shop-web-${first}` });
    expect(await visit("a", "x.wild.test", "/env/KAMAL_CONTAINER_NAME")).toBe(`200 shop-wild-${first}`);
    expect(await visit("a", "x.wild.test", "/version")).toBe("503 no available server");
    for (const host of ["wild.test", "y.x.wild.test", "unknown.test"]) {
      expect(await visit("a", host, "/env/KAMAL_CONTAINER_NAME")).toBe("503 no available server");
    }
  });

  test("a body over the limit of its role gets 413 or 500, and other roles have no limit", async () => {
    expect(await shop("/api/echo", "x".repeat(500))).toMatchObject({ status: 200, text: "x".repeat(500) });
    expect(await shop("/api/echo", "x".repeat(2000))).toMatchObject({ status: 413 });
    expect(await shop("/api/echo", "x".repeat(800))).toMatchObject({ status: 500 });
    expect(await shop("/echo", "x".repeat(2000))).toMatchObject({ status: 200 });
  });

  test("an app that sends no headers within response_timeout gets 504, streams and WebSockets go on", async () => {
    const [slow, quick, events, socket] = await Promise.all([
      shop("/slow?ms=3500"),
      shop("/slow?ms=1000"),
      eventsFor(3500),
      echoAfter(3500),
    ]);
    expect(slow.status).toBe(504);
    expect(slow.milliseconds).toBeGreaterThan(1900);
    expect(slow.milliseconds).toBeLessThan(3000);
    expect(quick).toMatchObject({ status: 200, text: `${first} slowly\n` });
    expect(events).toBeGreaterThan(10);
    expect(socket).toBe(`${first} late`);
  });

  test("hooks run kamal, in the new container, also while the lock is held", async () => {
    const log = (hook: string) =>
      readFileSync(join(project.folder, `${hook}.log`), "utf8")
        .trim()
        .split("\n");
    expect(log("post-app-boot")).toEqual([
      `App Host: ${address("a")}`,
      first,
      "",
      `true ${address("a")},${address("b")}`,
    ]);
    expect(log("post-deploy")[1]).toBe(first);
  });

  test("versions with another response_timeout run together as a canary, and no change loses a request", async () => {
    const load = new Load(`http://${address("a")}`, { perSecond: 40, host: "shop.test", slow: false });
    configure(6);
    second = await project.commit("Second");
    succeeded(await project.mrsk("redeploy", "--canary", "50%"));
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop("/slow?ms=3500")));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text.trim()}`))).toEqual(
      new Set([`200 ${second} slowly`, "504 Gateway Timeout"]),
    );
    succeeded(await project.mrsk("promote"));
    expect(await shop("/slow?ms=3500")).toMatchObject({ status: 200, text: `${second} slowly\n` });
    succeeded(await project.mrsk("rollback", first));
    expect((await shop("/slow?ms=3500")).status).toBe(504);
    const { requests, lost, versions } = await load.stop();
    console.log(`${lost.length} of ${requests} lost`);
    expect(lost).toEqual([]);
    expect([...versions.keys()].toSorted()).toEqual([first, second].toSorted());
  });

  test("the limit holds after a stop and a start of the app, and after a reboot of Traefik", async () => {
    succeeded(await project.mrsk("app", "stop", "-r", "web"));
    expect(await visit("a", "shop.test", "/version")).toMatch(/^503 /);
    succeeded(await project.mrsk("app", "start", "-r", "web"));
    succeeded(await project.mrsk("traefik", "reboot", "-y"));
    expect(await shop("/version")).toMatchObject({ status: 200, text: `${first}\n` });
    expect((await shop("/slow?ms=3500")).status).toBe(504);
  });

  test("a destination has its own hosts, secrets and label", async () => {
    succeeded(await project.mrsk("deploy", "-d", "staging", "-r", "web", "--skip-push", "--version", second));
    expect(await visit("b", "staging.shop.test", "/env/GREETING")).toBe("200 from staging");
    expect(await visit("b", "staging.shop.test", "/env/KAMAL_DESTINATION")).toBe("200 staging");
    expect(await visit("b", "shop.test", "/version")).toBe("503 no available server");
    expect(await inspect("{{.Config.Labels.destination}}", `shop-web-staging-${second}`, "b")).toBe("staging");
  });
});
