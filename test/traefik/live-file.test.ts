import { expect, test } from "vitest";
import { parse } from "yaml";
import { containerLabels, roleLabels } from "../../src/traefik/labels.ts";
import { isClosed, isInMaintenance, liveFile, type Routed } from "../../src/traefik/live-file.ts";
import { config, role } from "../support/config.ts";

type Yaml = Record<string, Record<string, Record<string, Record<string, unknown>>>>;

function routed(id: string | undefined, labels: [string, string][] = []): Routed {
  const all = roleLabels(config(), role({ labels: new Map(labels) }));
  return { labels: id === undefined ? all : containerLabels(all, id) };
}

const old = routed("aaaaaaaa");
const next = routed("bbbbbbbb");
const probe = { container: next, hostName: "0123456789abcdef.mrsk", revision: "bbbbbbbb.1", appHost: "localhost:3000" };

function read(text: string): Yaml {
  return parse(text) as Yaml;
}

const STOPPED = `    app-web-bbbbbbbb-stopped:
      rule: PathPrefix(\`/\`)
      priority: 1
      service: app-web-bbbbbbbb-stopped
`;

test("finalized: the live router, and 503 if its container has stopped", () => {
  expect(liveFile({ name: "app-web", live: next })).toBe(`http:
  routers:
    app-web:
      rule: PathPrefix(\`/\`)
      priority: 15
      service: app-web-bbbbbbbb@docker
      middlewares:
        - app-web-bbbbbbbb-retry
${STOPPED}  middlewares:
    app-web-bbbbbbbb-retry:
      retry:
        attempts: "5"
        initialinterval: 500ms
  services:
    app-web-bbbbbbbb-stopped:
      loadBalancer:
        servers: []
`);
});

test("closed: 503 above the live router, whose open requests continue", () => {
  const routers = read(liveFile({ name: "app-web", live: next, closed: true }))["http"]!["routers"]!;
  expect(routers["app-web"]).toMatchObject({ priority: 15, service: "app-web-bbbbbbbb@docker" });
  expect(routers["app-web-bbbbbbbb-stopped"]).toEqual({
    rule: "PathPrefix(`/`)",
    priority: 17,
    service: "app-web-bbbbbbbb-stopped",
  });
});

test("maintenance: 503 as in a closed file, also beside a canary and an old container", () => {
  const file = { name: "app-web", live: next, maintenance: true };
  const stopped = (text: string) => read(text)["http"]!["routers"]!["app-web-bbbbbbbb-stopped"]!["priority"];
  const served = (text: string) => read(text)["http"]!["routers"]!["app-web"]!["priority"];
  for (const more of [{}, { last: old }, { canary: { container: old, percent: 50 } }, { closed: true }]) {
    const text = liveFile({ ...file, ...more });
    expect(isInMaintenance(text)).toBe(true);
    expect(stopped(text)).toBeGreaterThan(served(text) as number);
  }
  expect(isInMaintenance(liveFile({ name: "app-web", live: next, closed: true }))).toBe(false);
  expect(isClosed(liveFile(file))).toBe(false);
  expect(isClosed(liveFile({ ...file, closed: true }))).toBe(true);
});

test("probe: the live router unchanged, the next container on the probe entry point and a random host name, with the revision", () => {
  const file = read(liveFile({ name: "app-web", live: old, probe }));
  expect(file["http"]!["routers"]!["app-web"]!["service"]).toBe("app-web-aaaaaaaa@docker");
  expect(file["http"]!["routers"]!["app-web-bbbbbbbb-probe"]).toEqual({
    rule: "Host(`0123456789abcdef.mrsk`)",
    priority: 9_000_000_000_000_000,
    entryPoints: ["mrsk"],
    service: "app-web-bbbbbbbb@docker",
    middlewares: ["app-web-bbbbbbbb-probe"],
  });
  expect(file["http"]!["middlewares"]!["app-web-bbbbbbbb-probe"]).toEqual({
    headers: {
      customRequestHeaders: { Host: "localhost:3000" },
      customResponseHeaders: { "X-Mrsk-Live": "bbbbbbbb.1" },
    },
  });
});

test("probe before the first deploy: no live container, no empty section", () => {
  expect(liveFile({ name: "app-web", live: undefined, probe })).toBe(`http:
  routers:
    app-web-bbbbbbbb-probe:
      rule: Host(\`0123456789abcdef.mrsk\`)
      priority: 9000000000000000
      entryPoints:
        - mrsk
      service: app-web-bbbbbbbb@docker
      middlewares:
        - app-web-bbbbbbbb-probe
  middlewares:
    app-web-bbbbbbbb-probe:
      headers:
        customRequestHeaders:
          Host: localhost:3000
        customResponseHeaders:
          X-Mrsk-Live: bbbbbbbb.1
`);
});

test("switched: the old container keeps a router one below the live one", () => {
  const { routers } = read(liveFile({ name: "app-web", live: next, last: old }))["http"]!;
  expect(routers!["app-web"]).toMatchObject({ priority: 16, service: "app-web-bbbbbbbb@docker" });
  expect(routers!["app-web-aaaaaaaa-last"]).toEqual({
    rule: "PathPrefix(`/`)",
    priority: 15,
    service: "app-web-aaaaaaaa@docker",
    middlewares: ["app-web-aaaaaaaa-retry"],
  });
});

test("with two containers the live priority is one more than the larger of both, whichever rule is longer", () => {
  const longer = routed("aaaaaaaa", [["traefik.http.routers.app-web.rule", "Host(`www.example.com`)"]]);
  const switched = read(liveFile({ name: "app-web", live: next, last: longer }))["http"]!["routers"]!;
  expect(switched["app-web"]!["priority"]).toBe(24);
  expect(switched["app-web-aaaaaaaa-last"]!["priority"]).toBe(23);
  const back = read(liveFile({ name: "app-web", live: longer, last: next }))["http"]!["routers"]!;
  expect(back["app-web"]!["priority"]).toBe(24);
  expect(back["app-web-bbbbbbbb-last"]!["priority"]).toBe(23);
});

test("a container of MRSK has the service without an id", () => {
  const original = routed(undefined);
  const { routers, middlewares } = read(liveFile({ name: "app-web", live: next, last: original }))["http"]!;
  expect(routers!["app-web-original-last"]).toMatchObject({ service: "app-web@docker", priority: 15 });
  expect(Object.keys(middlewares!)).toEqual(["app-web-bbbbbbbb-retry", "app-web-original-retry"]);
});

test("several routers keep their order, all live ones above all old ones, every name begins with the role's", () => {
  const labels: [string, string][] = [
    ["traefik.http.routers.api.rule", "Host(`example.com`) && PathPrefix(`/api`)"],
    ["traefik.http.routers.api.service", "app-web"],
  ];
  const file = liveFile({ name: "app-web", live: routed("bbbbbbbb", labels), last: routed("aaaaaaaa", labels) });
  const { routers } = read(file)["http"]!;
  expect(Object.entries(routers!).map(([name, { priority, service }]) => [name, priority, service])).toEqual([
    ["app-web", 42, "app-web-bbbbbbbb@docker"],
    ["app-web-bbbbbbbb-stopped", 1, "app-web-bbbbbbbb-stopped"],
    ["app-web-bbbbbbbb-api", 68, "app-web-bbbbbbbb@docker"],
    ["app-web-bbbbbbbb-api-stopped", 1, "app-web-bbbbbbbb-api-stopped"],
    ["app-web-aaaaaaaa-last", 15, "app-web-aaaaaaaa@docker"],
    ["app-web-aaaaaaaa-api-last", 41, "app-web-aaaaaaaa@docker"],
  ]);
});

test("a container with several services: a router leads to the service that it names, or else to that of the same name", () => {
  const labels: [string, string][] = [
    ["traefik.http.services.admin.loadbalancer.server.port", "81"],
    ["traefik.http.routers.admin.rule", "PathPrefix(`/admin`)"],
    ["traefik.http.routers.lost.rule", "PathPrefix(`/lost`)"],
  ];
  const { routers } = read(liveFile({ name: "app-web", live: routed("bbbbbbbb", labels) }))["http"]!;
  expect(routers!["app-web"]!["service"]).toBe("app-web-bbbbbbbb@docker");
  expect(routers!["app-web-bbbbbbbb-admin"]!["service"]).toBe("admin-bbbbbbbb@docker");
  expect(Object.keys(routers!).filter((name) => name.includes("lost"))).toEqual([]);
});

function liveRouter(...labels: [string, string][]): Record<string, unknown> {
  return read(liveFile({ name: "app-web", live: routed("bbbbbbbb", labels) }))["http"]!["routers"]!["app-web"]!;
}

test("entry points, tls and the rule syntax are as the labels say, whatever their case", () => {
  expect(
    liveRouter(
      ["traefik.http.routers.app-web.entryPoints", "web, websecure"],
      ["traefik.http.routers.app-web.tls", "true"],
      ["traefik.http.routers.app-web.tls.certResolver", "letsencrypt"],
      ["traefik.http.routers.app-web.tls.domains[1].main", "b.c"],
      ["traefik.http.routers.app-web.tls.domains[0].main", "a.b"],
      ["traefik.http.routers.app-web.tls.domains[0].sans", "x.a.b,y.a.b"],
      ["traefik.http.routers.app-web.ruleSyntax", "v2"],
    ),
  ).toEqual({
    rule: "PathPrefix(`/`)",
    priority: 15,
    service: "app-web-bbbbbbbb@docker",
    middlewares: ["app-web-bbbbbbbb-retry"],
    entryPoints: ["web", "websecure"],
    tls: { certResolver: "letsencrypt", domains: [{ main: "a.b", sans: "x.a.b,y.a.b" }, { main: "b.c" }] },
    rulesyntax: "v2",
  });
});

test("tls=true alone is an empty section, tls=false no section", () => {
  expect(liveRouter(["traefik.http.routers.app-web.tls", "true"])["tls"]).toEqual({});
  expect(liveRouter(["traefik.http.routers.app-web.tls", "false"])).not.toHaveProperty("tls");
});

test("middlewares of the container are in the file under its name, others are docker's unless they name a provider", () => {
  const labels: [string, string][] = [
    ["traefik.http.routers.app-web.middlewares", "app-web-retry, auth,shared,limits@file,strip@docker,all"],
    ["traefik.http.middlewares.auth.basicauth.users", "a:$1"],
    ["traefik.http.middlewares.strip.stripprefix.prefixes", "/a"],
    ["traefik.http.middlewares.pack.compress", "true"],
    ["traefik.http.middlewares.all.chain.middlewares", "auth,shared,limits@file"],
    ["traefik.http.middlewares.sorry.errors.status", "500-599"],
    ["traefik.http.middlewares.sorry.errors.service", "app-web"],
    ["traefik.http.middlewares.mark.headers.customresponseheaders.X-A", "b"],
  ];
  const { routers, middlewares } = read(liveFile({ name: "app-web", live: routed("bbbbbbbb", labels) }))["http"]!;
  expect(routers!["app-web"]!["middlewares"]).toEqual([
    "app-web-bbbbbbbb-retry",
    "app-web-bbbbbbbb-own-auth",
    "shared@docker",
    "limits@file",
    "app-web-bbbbbbbb-own-strip",
    "app-web-bbbbbbbb-own-all",
  ]);
  expect(middlewares).toEqual({
    "app-web-bbbbbbbb-retry": { retry: { attempts: "5", initialinterval: "500ms" } },
    "app-web-bbbbbbbb-own-auth": { basicauth: { users: "a:$1" } },
    "app-web-bbbbbbbb-own-strip": { stripprefix: { prefixes: "/a" } },
    "app-web-bbbbbbbb-own-pack": { compress: {} },
    "app-web-bbbbbbbb-own-all": {
      chain: { middlewares: ["app-web-bbbbbbbb-own-auth", "shared@docker", "limits@file"] },
    },
    "app-web-bbbbbbbb-own-sorry": { errors: { status: "500-599", service: "app-web-bbbbbbbb@docker" } },
    "app-web-bbbbbbbb-own-mark": { headers: { customresponseheaders: { "X-A": "b" } } },
  });
});

test("TCP routers are in the file as well", () => {
  const labels: [string, string][] = [
    ["traefik.tcp.routers.smtp.rule", "HostSNI(`*`)"],
    ["traefik.tcp.routers.smtp.entrypoints", "smtp"],
    ["traefik.tcp.services.smtp.loadbalancer.server.port", "25"],
  ];
  expect(read(liveFile({ name: "app-web", live: routed("bbbbbbbb", labels) }))["tcp"]).toEqual({
    routers: {
      "app-web-bbbbbbbb-smtp": {
        rule: "HostSNI(`*`)",
        entryPoints: ["smtp"],
        priority: 3,
        service: "smtp-bbbbbbbb@docker",
      },
    },
  });
});

test("{{ is escaped: the files are Go templates", () => {
  const text = liveFile({
    name: "app-web",
    live: routed("bbbbbbbb", [["traefik.http.routers.app-web.rule", "Path(`/{{x}}`)"]]),
  });
  expect(text).toContain("rule: Path(`/{{`{{`}}x}}`)");
});

test("a long rule stays on one line, and odd text survives YAML", () => {
  const rule = `Host(\`${"a".repeat(200)}\`) || Header(\`X: y\`, \`# "quoted" é\`)`;
  expect(liveRouter(["traefik.http.routers.app-web.rule", rule])["rule"]).toBe(rule);
});

test("a canary gets its percentage of the requests; without it, the router below serves the old version", () => {
  const file = read(liveFile({ name: "app-web", live: old, canary: { container: next, percent: 10 } }))["http"]!;
  expect(file["services"]!["app-web-bbbbbbbb-canary"]).toEqual({
    weighted: {
      services: [
        { name: "app-web-aaaaaaaa@docker", weight: 90 },
        { name: "app-web-bbbbbbbb@docker", weight: 10 },
      ],
      sticky: { cookie: { name: "mrsk-canary-bbbbbbbb", httpOnly: true } },
    },
  });
  const order = Object.entries(file["routers"]!)
    .toSorted(([, a], [, b]) => Number(b["priority"]) - Number(a["priority"]))
    .map(([name, router]) => `${name} ${String(router["priority"])}: ${String(router["service"])}`);
  expect(order).toEqual([
    "app-web 17: app-web-bbbbbbbb-canary",
    "app-web-aaaaaaaa-alone 16: app-web-aaaaaaaa@docker",
    "app-web-bbbbbbbb-canary 15: app-web-bbbbbbbb@docker",
    "app-web-aaaaaaaa-stopped 1: app-web-aaaaaaaa-stopped",
  ]);
  expect(file["routers"]!["app-web"]!["middlewares"]).toEqual(["app-web-aaaaaaaa-retry"]);
});

test("a canary that is being removed gets no requests, and is below the live router", () => {
  const file = read(liveFile({ name: "app-web", live: old, canary: { container: next, percent: 0 } }))["http"]!;
  expect(file["routers"]!["app-web"]).toMatchObject({ priority: 16, service: "app-web-aaaaaaaa@docker" });
  expect(file["routers"]!["app-web-bbbbbbbb-canary"]).toMatchObject({ priority: 15 });
  expect(Object.keys(file["services"]!)).toEqual(["app-web-aaaaaaaa-stopped"]);
});

test("a router of only one of the two is not weighted; a TCP router is, without a cookie", () => {
  const tcp: [string, string][] = [
    ["traefik.tcp.routers.smtp.rule", "HostSNI(`*`)"],
    ["traefik.tcp.services.smtp.loadbalancer.server.port", "25"],
  ];
  const admin: [string, string] = ["traefik.http.routers.admin.rule", "Path(`/admin`)"];
  const file = read(
    liveFile({
      name: "app-web",
      live: routed("aaaaaaaa", [...tcp, admin]),
      canary: { container: routed("bbbbbbbb", tcp), percent: 25 },
    }),
  );
  expect(file["http"]!["routers"]!["app-web-aaaaaaaa-admin"]!["service"]).toBe("app-web-aaaaaaaa@docker");
  expect(file["http"]!["routers"]).not.toHaveProperty("app-web-aaaaaaaa-admin-alone");
  expect(file["tcp"]!["services"]).toEqual({
    "app-web-bbbbbbbb-smtp-canary": {
      weighted: {
        services: [
          { name: "smtp-aaaaaaaa@docker", weight: 75 },
          { name: "smtp-bbbbbbbb@docker", weight: 25 },
        ],
      },
    },
  });
});

test("no address of a container is in the file: after a stop, another container may get it", () => {
  const text = liveFile({ name: "app-web", live: next, last: old, probe });
  expect(text).not.toMatch(/url:|\d+\.\d+\.\d+\.\d+/);
});

test("names of JavaScript object properties, and lists with a high first index, are read as in the labels", () => {
  const own = routed("cccccccc", [
    ["traefik.http.routers.app-web.tls.__proto__.polluted", "a"],
    ["traefik.http.routers.app-web.constructor", "b"],
    ["traefik.http.routers.app-web.__proto__", "c"],
    ["traefik.http.middlewares.__proto__.headers.toString", "d"],
    ["traefik.http.middlewares.m.toString", "e"],
    ["traefik.http.routers.app-web.tls.domains[4294967293].main", "f"],
  ]);
  const text = liveFile({ name: "app-web", live: own });
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  const { routers, middlewares } = read(text)["http"]!;
  expect(routers!["app-web"]).toMatchObject({
    tls: { domains: [{ main: "f" }], ["__proto__"]: { polluted: "a" } },
    constructor: "b",
    ["__proto__"]: "c",
  });
  expect(middlewares!["app-web-cccccccc-own-__proto__"]).toEqual({ headers: { toString: "d" } });
  expect(middlewares!["app-web-cccccccc-own-m"]).toEqual({ toString: "e" });
});
