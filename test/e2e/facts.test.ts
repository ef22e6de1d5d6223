import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { containerLabels, roleLabels } from "../../src/traefik/labels.ts";
import { liveFile } from "../../src/traefik/live-file.ts";
import { config, role } from "../support/config.ts";
import { lab, onServer, Project, succeeded, sweep } from "./project.ts";
import { Bench, get, route, until } from "./traefik.ts";

const SERVER = "a";
const project = new Project("facts");

/** A live file with one router. */
function file(name: string, router: Record<string, unknown>): string {
  return stringify({ http: { routers: { [`fact-${name}`]: router } } });
}

describe("the behaviour of Traefik that live files rely on", () => {
  let bench: Bench;

  const answers = (host: string, more = {}) =>
    until(
      () => bench.get(host, more),
      ({ status }) => status === 200,
    );

  beforeAll(async () => {
    await sweep(SERVER);
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
    project.configure({
      servers: [lab["LAB_A"]],
      labels: { "traefik.http.routers.facts-web.rule": "Host(`facts.test`)" },
      boot: { watch: 0 },
      traefik: { args: { "entrypoints.http.address": ":80", "entrypoints.raw.address": ":2525" } },
    });
    const version = await project.commit("First");
    succeeded(await project.mrsk("deploy"));
    bench = new Bench(SERVER, `${lab["LAB_REGISTRY"]}/lab/facts:${version}`);
    // Traefik answers 404 without a router, 503 without a server of the service.
    await bench.noFile("unavailable");
  });
  beforeEach(() => bench.sweep());
  afterAll(() => sweep(SERVER));

  test("a dot in the name of a service makes Traefik skip the container", async () => {
    await bench.start("dotted", {
      "traefik.http.routers.dotted.rule": "Host(`dotted.test`)",
      "traefik.http.services.dotted-1.2.3.loadbalancer.server.port": "3000",
    });
    await bench.ready();
    expect((await bench.get("dotted.test")).status).toBe(404);
  });

  test("a service without a port makes Traefik skip the container, its other routers too", async () => {
    const image = "node:20-bookworm-slim";
    await onServer(SERVER, `docker image inspect ${image} >/dev/null 2>&1 || docker pull -q ${image}`);
    const command = ["node", "-e", "require('http').createServer((q, s) => s.end()).listen(3000)"];
    await bench.start("portless", { ...route("ported"), "traefik.http.services.portless.loadbalancer.passhostheader": "true", "traefik.http.routers.ported.service": "ported" }, { image, command }); // biome-ignore format: one line
    await bench.start("whole", route("whole"), { image, command });
    expect((await answers("whole.test")).status).toBe(200);
    expect((await bench.get("ported.test")).status).toBe(404);
  });

  test("a router without a service is linked to the only service, and dropped if there are several", async () => {
    const one = { "traefik.http.routers.one.rule": "Host(`one.test`)" };
    await bench.start("one", { ...one, "traefik.http.services.other.loadbalancer.server.port": "3000" });
    await bench.start("two", {
      "traefik.http.routers.two.rule": "Host(`two.test`)",
      "traefik.http.services.this.loadbalancer.server.port": "3000",
      "traefik.http.services.that.loadbalancer.server.port": "3000",
    });
    await bench.ready();
    expect((await bench.get("one.test")).status).toBe(200);
    expect((await bench.get("two.test")).status).toBe(404);
  });

  test("if two containers define a router differently both lose it, and the file's router keeps working", async () => {
    const labels = (id: string, priority: string) => ({
      "traefik.http.routers.tie.rule": "Host(`tie.test`)",
      "traefik.http.routers.tie.priority": priority,
      [`traefik.http.services.tie-${id}.loadbalancer.server.port`]: "3000",
    });
    await bench.start("tie1", labels("1", "20"));
    await bench.start("tie2", labels("2", "21"));
    await bench.ready();
    expect((await bench.get("tie.test")).status).toBe(404);
    await bench.file("fact-tie", file("tie", { rule: "Host(`tie.test`)", priority: 21, service: "tie-2@docker" }));
    expect((await answers("tie.test")).version).toBe("tie2");
  });

  test("the file's router, with a priority one above the label's, answers at every reload", async () => {
    await bench.start("below", { ...route("below"), "traefik.http.routers.below.priority": "17" });
    await bench.start("above", route("above"));
    await bench.ready();
    const seen = new Set<string | undefined>();
    for (let reload = 1; reload <= 20; reload++) {
      const mark = { headers: { customResponseHeaders: { "X-Mark": String(reload) } } };
      const router = { rule: "Host(`below.test`)", priority: 18, service: "above@docker", middlewares: ["fact-mark"] };
      await bench.file("fact-below", stringify({ http: { routers: { "fact-below": router }, middlewares: { "fact-mark": mark } } })); // biome-ignore format: one line
      const answer = await until(
        () => bench.get("below.test"),
        ({ headers }) => headers["x-mark"] === String(reload),
      );
      seen.add(answer.version);
    }
    expect([...seen]).toEqual(["above"]);
  });

  test("a priority above Traefik's limit drops the router; the probe router's is below the limit", async () => {
    await bench.start("high", route("high"));
    await bench.ready();
    const text = (name: string, priority: string) =>
      file(name, { rule: `Host(\`${name}.test\`)`, priority: "P", service: "high@docker" }).replace("P", priority);
    await bench.file("fact-over", text("over", "9223372036854775807"));
    await bench.file("fact-below", text("limit", "9000000000000000"));
    expect((await answers("limit.test")).status).toBe(200);
    expect((await bench.get("over.test")).status).toBe(404);
  });

  test.each([
    ["broken YAML", "http: {"],
    ["an unknown key", "http:\n  routerz: {}\n"],
    ["an empty section", "http:\n  routers: {}\n"],
    ["an open template", "# {{\n"],
  ])("one bad file blocks all changes on the server until it is removed: %s", async (_, bad) => {
    await bench.start("good", route("good"));
    await bench.ready();
    await bench.file("fact-0-bad", bad);
    await bench.file("fact-good", file("good", { rule: "Host(`late.test`)", service: "good@docker" }));
    const stopped = await project.mrsk("app", "boot");
    expect(stopped.status).toBe(5);
    expect(stopped.stderr).toMatch(/Traefik did not load the live file within 5 s.*\n.*fact-0-bad/);
    expect((await bench.get("late.test")).status).toBe(404);
    expect((await bench.get("facts.test")).status).toBe(200);
    await bench.noFile("fact-0-bad");
    expect((await answers("late.test")).status).toBe(200);
  });

  test("a file router whose service does not exist yields to the label's router", async () => {
    await bench.start("stale", { ...route("stale"), "traefik.http.routers.stale.priority": "17" });
    await bench.file("fact-stale", file("stale", { rule: "Host(`stale.test`)", priority: 18, service: "gone@docker" }));
    expect((await answers("stale.test")).version).toBe("stale");
  });

  test("rules that only version 2 reads work with the rule syntax v2, in labels and in the file", async () => {
    const rule = "Host(`v2.test`,`v2b.test`)";
    await bench.start("plain", route("plain", "Host(`plain.test`,`plain2.test`)"));
    await bench.start("v2", { ...route("v2", rule), "traefik.http.routers.v2.rulesyntax": "v2" });
    const labels = roleLabels(
      config({ service: "fact" }),
      role({
        labels: new Map([
          ["traefik.http.routers.fact-web.rule", "Host(`file.test`,`file2.test`)"],
          ["traefik.http.services.fact-web.loadbalancer.server.port", "3000"],
        ]),
      }),
    );
    const live = { labels: containerLabels(labels, "aaaaaaaa") };
    await bench.start("file", new Map([...live.labels, ["traefik.http.routers.fact-web.rule", "Host(`no.test`)"]]));
    await bench.file("fact-web", liveFile({ name: "fact-web", live }));
    await bench.ready();
    expect((await bench.get("plain2.test")).status).toBe(404);
    expect((await bench.get("v2b.test")).version).toBe("v2");
    expect((await answers("file2.test")).version).toBe("file");
  });

  test("{{ in a rule is text", async () => {
    const rule = "Host(`braces.test`) && Header(`X-Odd`, `{{ a }}`)";
    const labels = roleLabels(
      config({ service: "fact" }),
      role({ labels: new Map([["traefik.http.routers.fact-web.rule", rule]]) }),
    );
    const live = { labels: containerLabels(labels, "bbbbbbbb") };
    await bench.start("braces", new Map([...live.labels, ["traefik.http.routers.fact-web.rule", "Host(`no.test`)"]]));
    await bench.file("fact-web", liveFile({ name: "fact-web", live }));
    expect((await answers("braces.test", { headers: { "x-odd": "{{ a }}" } })).version).toBe("braces");
    expect((await bench.get("braces.test")).status).toBe(404);
  });

  test("a request that the app has read is never repeated, whatever the retries", async () => {
    const labels = { ...route("once"), "traefik.http.routers.once.middlewares": "again", "traefik.http.middlewares.again.retry.attempts": "5" }; // biome-ignore format: one line
    await bench.start("once", labels, { options: ["--restart", "always"] });
    expect((await answers("once.test")).status).toBe(200);
    expect((await bench.get("once.test", { path: "/crash", method: "POST" })).status).toBe(502);
    expect((await answers("once.test")).status).toBe(200);
    expect(await onServer(SERVER, "docker inspect -f '{{.RestartCount}}' fact-once")).toBe("1");
  });

  test("a stopped app answers 503, by a separate router", async () => {
    succeeded(await project.mrsk("app", "stop"));
    expect((await until(() => bench.get("facts.test"), ({ status }) => status === 503)).status).toBe(503); // biome-ignore format: one line
    expect((await bench.get("unknown.test")).status).toBe(404);
    succeeded(await project.mrsk("app", "start"));
    expect((await answers("facts.test")).status).toBe(200);
  });

  test("all routing labels are in the file and work, before and after a change", async () => {
    await bench.start("shared", {
      ...route("shared"),
      "traefik.http.middlewares.shared-mark.headers.customresponseheaders.X-Shared": "yes",
    });
    project.configure({
      servers: [lab["LAB_A"]],
      boot: { watch: 0 },
      labels: {
        "traefik.http.routers.facts-web.rule": "Host(`facts.test`,`facts2.test`)",
        "traefik.http.routers.facts-web.middlewares": "everything",
        "traefik.http.middlewares.everything.chain.middlewares": "own-mark,shared-mark@docker,sorry",
        "traefik.http.middlewares.own-mark.headers.customResponseHeaders.X-Own": "a,b",
        "traefik.http.middlewares.sorry.errors.status": "404",
        "traefik.http.middlewares.sorry.errors.service": "facts-web",
        "traefik.http.middlewares.sorry.errors.query": "/version",
        "traefik.http.routers.admin.rule": "Host(`facts.test`) && PathPrefix(`/admin`)",
        "traefik.http.routers.admin.middlewares": "cut,guard",
        "traefik.http.middlewares.cut.stripprefix.prefixes": "/admin,/other",
        "traefik.http.middlewares.guard.ipallowlist.sourcerange": "0.0.0.0/0, ::/0",
        "traefik.http.routers.secure.rule": "Host(`secure.test`)",
        "traefik.http.routers.secure.entrypoints": "http",
        "traefik.http.routers.secure.tls": "true",
        "traefik.http.routers.secure.tls.domains[0].main": "secure.test",
        "traefik.http.routers.secure.tls.domains[0].sans": "a.secure.test,b.secure.test",
        "traefik.tcp.routers.raw.rule": "HostSNI(`*`)",
        "traefik.tcp.routers.raw.entrypoints": "raw",
        "traefik.tcp.services.raw.loadbalancer.server.port": "3000",
      },
      traefik: { args: { "entrypoints.http.address": ":80", "entrypoints.raw.address": ":2525" } },
    });
    const address = await onServer(
      SERVER,
      "docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' traefik",
    );
    for (const round of ["one", "two"]) {
      project.write("round.txt", round);
      const version = await project.commit(round);
      succeeded(await project.mrsk("redeploy"));
      const plain = await bench.get("facts2.test");
      expect(plain).toMatchObject({ status: 200, version, headers: { "x-own": "a,b", "x-shared": "yes" } });
      expect((await bench.get("facts.test", { path: "/nothing" })).text).toBe(`${version}\n`);
      expect(await bench.get("facts.test", { path: "/admin/version" })).toMatchObject({ status: 200, version });
      // A router with TLS does not answer without, on the same entry point.
      expect((await bench.get("secure.test")).status).toBe(404);
      const secure = "curl -sk --resolve secure.test:443:127.0.0.1 --connect-to secure.test:443:127.0.0.1:80";
      expect(await onServer(SERVER, `${secure} https://secure.test/version`)).toBe(version);
      expect(await onServer(SERVER, `curl -s http://${address}:2525/version`)).toBe(version);
    }
    const log = await onServer(SERVER, "docker logs --since 1m traefik 2>&1 | grep -c ' ERR ' || true");
    expect(log).toBe("0");
  });
});

describe("a Traefik that ignores the app's containers is an error", () => {
  const other = new Project("kept-away");
  const attempts = { healthcheck: { max_attempts: 3 }, boot: { watch: 0 } };
  const configure = (more: Record<string, unknown>) => {
    other.configure({ servers: [lab["LAB_A"]], ...attempts, ...more });
    return other.commit("Next");
  };

  beforeAll(async () => {
    await sweep(SERVER);
    other.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
  });
  afterAll(() => sweep(SERVER));

  test("exposedbydefault=false without the label is refused, and works with it", async () => {
    const traefik = { args: { "providers.docker.exposedbydefault": false } };
    await configure({ traefik });
    const refused = await other.mrsk("deploy");
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain('give it the label traefik.enable: "true"');
    expect(await onServer(SERVER, "docker ps -aq")).toBe("");
    await configure({ traefik, labels: { "traefik.enable": "true" } });
    succeeded(await other.mrsk("deploy"));
    expect((await get(SERVER, "any.test")).status).toBe(200);
  });

  test("constraints that the container does not match are named", async () => {
    await sweep(SERVER);
    await configure({ traefik: { args: { "providers.docker.constraints": "Label(`team`,`x`)" } } });
    const ran = await other.mrsk("deploy");
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain(
      "Traefik routes only to containers that match --providers.docker.constraints=Label(`team`,`x`)",
    );
    expect(ran.stderr).toContain("listening, version");
  });

  test("a network without Traefik is named, and a redirect at the entry point is no error", async () => {
    await sweep(SERVER);
    await onServer(SERVER, "docker network create elsewhere");
    const args = {
      "entrypoints.web.address": ":80",
      "entrypoints.web.http.redirections.entrypoint.to": "websecure",
      "entrypoints.web.http.redirections.entrypoint.scheme": "https",
      "entrypoints.websecure.address": ":443",
    };
    await configure({ traefik: { args }, servers: { web: { hosts: [lab["LAB_A"]], options: { network: "elsewhere" } } } }); // biome-ignore format: one line
    const ran = await other.mrsk("deploy");
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain("It is on the network elsewhere , Traefik on bridge");
    await configure({ traefik: { args } });
    succeeded(await other.mrsk("deploy"));
    expect((await get(SERVER, "any.test")).status).toBe(301);
  });
});
