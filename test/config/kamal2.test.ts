import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Config, Proxy, Role } from "../../src/config/config.ts";
import { loginStep } from "../../src/flow/registry.ts";
import { select } from "../../src/plan/select.ts";
import { traefikOn } from "../../src/config/traefik.ts";
import { roleLabels } from "../../src/traefik/labels.ts";
import { fakeRun } from "../support/fake-run.ts";
import { configOf, problemsOf } from "./from-yaml.ts";

type Written = Readonly<Record<string, unknown>>;

const REQUIRED: Written = {
  service: "app",
  image: "acme/app",
  servers: ["10.0.0.1"],
  registry: { username: "u", password: ["P"] },
  builder: { arch: "amd64" },
};

/** A file of Kamal 2 with these keys. */
const kamal2 = (more: string) => `${stringify(REQUIRED)}${more}\n`;
const without = (key: string, more: string) =>
  `${stringify(Object.fromEntries(Object.entries(REQUIRED).filter(([name]) => name !== key)))}${more}\n`;
const load = (more: string) => configOf(kamal2(more));

function role(config: Config, name = "web"): Role {
  return config.roles.find((candidate) => candidate.name === name)!;
}

test("a missing key has the default of Kamal 2", async () => {
  const config = await load("");
  expect(config).toMatchObject({
    era: "Kamal 2 (builder.arch)",
    destinationLabel: "",
    network: "kamal",
    runDirectory: ".kamal",
    hooksPath: ".mrsk/hooks",
    secretsPath: ".kamal/secrets",
    deployTimeoutSeconds: 30,
    drainTimeoutSeconds: 30,
    readinessDelaySeconds: 7,
    stopWaitSeconds: undefined,
    boot: { limit: undefined, waitSeconds: 0 },
    traefik: { hostPort: 80 },
    notes: [],
    unsupported: [],
  });
  expect(role(config)).toMatchObject({
    traefik: true,
    stopWaitSeconds: undefined,
    healthcheck: { path: "/up", port: 80, interval: "1s", intervalSeconds: 1, timeoutSeconds: 5 },
  });
  expect(role(config).proxy).toEqual({
    hosts: [],
    appPort: 80,
    ssl: false,
    sslRedirect: true,
    forwardHeaders: true,
    responseTimeoutSeconds: 30,
    pathPrefixes: [],
    stripPathPrefix: true,
    healthcheck: { path: "/up", intervalSeconds: 1, timeoutSeconds: 5 },
    buffering: {
      requests: true,
      responses: true,
      maxRequestBytes: undefined,
      maxResponseBytes: undefined,
      memoryBytes: 1_048_576,
    },
    logging: undefined,
    run: {
      httpPort: 80,
      httpsPort: 443,
      publish: true,
      bindIps: [],
      metricsPort: undefined,
      debug: false,
      logMaxSize: undefined,
      options: new Map(),
    },
  });
});

test("the label of a destination is its name, or empty", async () => {
  const labels = (config: Config) => roleLabels(config, config.roles[0]!).get("destination");
  expect(labels(await load(""))).toBe("");
  const files = { "deploy.yml": kamal2(""), "deploy.staging.yml": "labels: {a: b}\n" };
  expect(labels(await configOf(files, { destination: "staging" }))).toBe("staging");
});

describe("builder", () => {
  const here = process.arch === "x64" ? "amd64" : process.arch;
  const there = here === "amd64" ? "arm64" : "amd64";
  const host = "ssh://app@build";

  test.each([
    ["arch: amd64", { kind: "multiarch", local: { arch: "amd64" }, remote: undefined }],
    ["arch: [amd64, arm64]", { kind: "multiarch", local: { arch: "amd64,arm64" }, remote: undefined }],
    [`{arch: ${here}, remote: "${host}"}`, { kind: "multiarch", local: { arch: here }, remote: undefined }],
    [`{arch: ${there}, remote: "${host}"}`, { kind: "native/remote", local: undefined, remote: { arch: there, host } }],
    [
      `{arch: [${here}, ${there}], remote: "${host}"}`,
      { kind: "multiarch/remote", local: { arch: here }, remote: { arch: there, host } },
    ],
    [
      `{arch: ${here}, remote: "${host}", local: false}`,
      { kind: "native/remote", local: undefined, remote: { arch: here, host } },
    ],
    [
      `{arch: [amd64, arm64], remote: "${host}", local: false}`,
      { kind: "native/remote", local: undefined, remote: { arch: "amd64,arm64", host } },
    ],
    ["{arch: amd64, local: true}", { kind: "multiarch", local: { arch: "amd64" } }],
    ["{arch: arm64, driver: docker}", { kind: "native", nativeArch: "arm64" }],
    [
      "{arch: amd64, driver: docker, cache: {type: gha}}",
      { kind: "native", nativeArch: "amd64", cache: { type: "gha" } },
    ],
    ["{arch: amd64, driver: docker-container}", { kind: "multiarch" }],
    ["{arch: amd64, provenance: false, sbom: true}", { provenance: "false", sbom: true }],
    ["{arch: amd64, provenance: mode=max}", { provenance: "mode=max", sbom: undefined }],
    ["{arch: amd64, args: {A: 1, B: }}", { args: new Map([["A", "1"]]), inheritedArgs: ["B"] }],
  ])("%s", async (builder, expected) => {
    const yaml = builder.startsWith("{") ? builder : `{${builder}}`;
    expect((await configOf(without("builder", `builder: ${yaml}`))).builder).toMatchObject(expected);
  });

  test.each([
    ["{arch: []}", "arch: Builder arch not set: write amd64, arm64, or both"],
    [
      "{arch: amd64, local: false}",
      "local: Cannot disable local builds, no remote is set: write remote: ssh://USER@HOST",
    ],
    [
      "{arch: amd64, driver: cloud acme/one}",
      "driver: mrsk does not build in Docker's cloud: write remote: ssh://USER@HOST, or omit driver",
    ],
    ["{arch: amd64, driver: kubernetes}", "driver: should be docker or docker-container"],
    [
      "{arch: amd64, driver: docker, remote: ssh://b}",
      "driver: docker builds on this machine alone: remove remote, or omit driver",
    ],
    ["{arch: [a, b], pack: {builder: x}}", "arch: buildpacks only support building for one arch"],
    ["{arch: amd64, local: {arch: amd64}}", "local: arch is the same setting in Kamal 2: remove one of the two"],
    [
      "{arch: amd64, remote: {arch: amd64, host: ssh://b}}",
      "remote: should be the machine alone, such as ssh://USER@HOST: arch has the architectures",
    ],
  ])("%s is refused", async (builder, message) => {
    const problems = await problemsOf(without("builder", `builder: ${builder}`));
    expect(problems.map((line) => line.replace(/^\S+: builder\//, ""))).toEqual([message]);
  });

  test("pack loads, and a deploy refuses it", async () => {
    const config = await configOf(without("builder", "builder: {arch: amd64, pack: {builder: heroku/builder:24}}"));
    expect(config.unsupported).toEqual([
      "deploy.yml:9:24: builder/pack: not supported yet: mrsk does not run the command pack: build with a Dockerfile",
    ]);
  });
});

describe("registry", () => {
  test("one of this machine loads without credentials, and the image is named after the service", async () => {
    const yaml = stringify({
      service: "app",
      servers: ["h"],
      builder: { arch: "amd64" },
      registry: { server: "localhost:5555" },
    });
    const config = await configOf(yaml);
    expect(config.repository).toBe("localhost:5555/app");
    expect(config.registry.isLocal).toBe(true);
    await expect(loginStep(fakeRun(config))).rejects.toThrow("deploy.yml: registry: localhost:5555 has no login");
    expect(config.unsupported).toEqual([
      "deploy.yml:6:1: registry: not supported yet: images do not reach the servers without a registry that they can reach: write its server, username and password",
    ]);
  });

  test.each([
    ["registry: {server: ghcr.io}", ["registry/username", "registry/password"]],
    ["registry: {server: localhost}", ["registry/username", "registry/password"]],
    ["", ["registry"]],
  ])("%s lacks credentials", async (registry, keys) => {
    const problems = await problemsOf(without("registry", registry));
    expect(problems.map((line) => line.split(": ")[1])).toEqual(keys);
  });

  test("a missing section names its keys", async () => {
    expect(await problemsOf(without("registry", ""))).toEqual([
      "deploy.yml:1:1: registry: Missing required configuration for registry: write registry: {server: HOST, username: NAME, password: [NAME]}",
    ]);
  });
});

describe("servers", () => {
  test("a list is the role web; a role has hosts with tags", async () => {
    const config = await configOf(
      without(
        "servers",
        "servers: {web: [10.0.0.1: eu], jobs: {hosts: [10.0.0.2: [eu, first]], cmd: work}}\nenv: {tags: {eu: {R: eu}, first: {R: '1'}}}",
      ),
    );
    expect(config.roles.map(({ name, hosts, traefik }) => [name, hosts, traefik])).toEqual([
      ["jobs", ["10.0.0.2"], false],
      ["web", ["10.0.0.1"], true],
    ]);
    expect(role(config, "jobs").hostEnv?.get("10.0.0.2")?.clear.get("R")).toBe("1");
    expect(role(config, "web").hostEnv?.get("10.0.0.1")?.clear.get("R")).toBe("eu");
  });

  test("without servers, there are accessories alone", async () => {
    const config = await configOf(without("servers", "accessories: {db: {image: redis:7, host: 10.0.0.9}}"));
    expect(config.roles).toEqual([]);
    expect(config.primaryHost).toBe("10.0.0.9");
    const everything = { hosts: undefined, roles: undefined, primary: false };
    expect(select(config, everything)).toEqual({ app: [], traefik: [], primary: "10.0.0.9" });
  });

  test("without servers and accessories, servers are missing", async () => {
    expect(await problemsOf(without("servers", ""))).toEqual([
      "deploy.yml:1:1: servers: Missing required configuration for servers",
    ]);
  });

  test.each([
    ["proxy: false", false],
    ["proxy: true", true],
    ["proxy: {}", true],
    ["proxy: {app_port: 81}", true],
    ["cmd: x", true],
  ])("the primary role with %s is behind the proxy: %s", async (written, routed) => {
    const config = await configOf(without("servers", `servers: {web: {hosts: [10.0.0.1], ${written}}}`));
    expect([role(config).traefik, role(config).proxy !== undefined]).toEqual([routed, routed]);
  });

  test.each([
    ["proxy: false", false],
    ["proxy: true", true],
    ["proxy: {}", true],
    ["traefik: true", true],
    ["cmd: x", false],
  ])("another role with %s is behind the proxy: %s", async (written, routed) => {
    const config = await configOf(
      without("servers", `servers: {web: [10.0.0.1], api: {hosts: [10.0.0.2], ${written}}}\nproxy: {app_port: 82}`),
    );
    expect(role(config, "api").proxy?.appPort).toBe(routed ? 82 : undefined);
  });

  test("stop_timeout is global or set for a role; without it, drain_timeout is that of roles without the proxy", async () => {
    const servers = "servers: {web: [10.0.0.1], jobs: {hosts: [10.0.0.2]}, mail: {hosts: [10.0.0.3], stop_timeout: 3}}";
    const stops = async (more: string) =>
      (await configOf(without("servers", `${servers}\n${more}`))).roles.map((one) => one.stopWaitSeconds);
    expect(await stops("")).toEqual([30, 3, undefined]);
    expect(await stops("drain_timeout: 40")).toEqual([40, 3, undefined]);
    expect(await stops("stop_timeout: 50")).toEqual([50, 3, 50]);
  });

  test.each(["service", "role", "destination"])("a role and an accessory may not set the label %s", async (label) => {
    const servers = `servers: {web: {hosts: [10.0.0.1], labels: {${label}: x}}}`;
    const accessory = `accessories: {db: {image: x, host: h, labels: {${label}: x}}}`;
    expect(await problemsOf(without("servers", `${servers}\n${accessory}`))).toEqual([
      expect.stringContaining(`servers/web/labels/${label}: Cannot use ${label} label: containers are found by it`),
      expect.stringContaining(`accessories/db/labels/${label}: Cannot use ${label} label: containers are found by it`),
    ]);
  });
});

describe("proxy", () => {
  const proxyOf = async (section: string) => role(await load(`proxy: ${section}`)).proxy!;

  test.each<[string, Partial<Proxy>]>([
    ["{host: Example.com}", { hosts: ["example.com"] }],
    ['{host: "a.example.com, b.example.com"}', { hosts: ["a.example.com", "b.example.com"] }],
    ["{hosts: [a.example.com, '*.b.example.com']}", { hosts: ["a.example.com", "*.b.example.com"] }],
    ["{app_port: 3000}", { appPort: 3000 }],
    ["{ssl: true, host: a.b}", { ssl: "acme", forwardHeaders: false }],
    ["{ssl: {}, host: a.b}", { ssl: "acme" }],
    ["{ssl: false}", { ssl: false, forwardHeaders: true }],
    [
      "{ssl: {certificate_pem: CERT, private_key_pem: KEY}}",
      { ssl: { certificate: "CERT", privateKey: "KEY" }, forwardHeaders: false },
    ],
    [
      "{ssl: true, host: a.b, forward_headers: true, ssl_redirect: false}",
      { forwardHeaders: true, sslRedirect: false },
    ],
    ["{response_timeout: 90}", { responseTimeoutSeconds: 90 }],
    ["{path_prefix: /api}", { pathPrefixes: ["/api"], stripPathPrefix: true }],
    ["{path_prefix: 'api/, /hooks'}", { pathPrefixes: ["/api", "/hooks"] }],
    ["{path_prefix: /}", { pathPrefixes: [] }],
    [
      "{path_prefixes: [/a, /b], path_prefix: /c, strip_path_prefix: false}",
      { pathPrefixes: ["/a", "/b"], stripPathPrefix: false },
    ],
    [
      "{healthcheck: {path: /ok, interval: 3, timeout: 4}}",
      { healthcheck: { path: "/ok", intervalSeconds: 3, timeoutSeconds: 4 } },
    ],
    [
      "{buffering: {requests: false, max_request_body: 10}}",
      {
        buffering: {
          requests: false,
          responses: true,
          maxRequestBytes: 10,
          maxResponseBytes: undefined,
          memoryBytes: 1_048_576,
        },
      },
    ],
    ["{logging: {request_headers: [X-A]}}", { logging: { requestHeaders: ["X-A"], responseHeaders: [] } }],
  ])("%s", async (section, expected) => {
    expect(await proxyOf(section)).toMatchObject(expected);
  });

  test("a role's section is merged over the global one: maps by key, lists replaced", async () => {
    const config = await configOf(
      without(
        "servers",
        `servers:
  web: [10.0.0.1]
  api:
    hosts: [10.0.0.2]
    proxy: {hosts: [api.example.com], healthcheck: {path: /api-up}}
proxy: {hosts: [a.example.com, b.example.com], app_port: 3000, healthcheck: {interval: 7}}`,
      ),
    );
    expect(role(config, "web").proxy).toMatchObject({ hosts: ["a.example.com", "b.example.com"], appPort: 3000 });
    expect(role(config, "api").proxy).toMatchObject({
      hosts: ["api.example.com"],
      appPort: 3000,
      healthcheck: { path: "/api-up", intervalSeconds: 7 },
    });
    expect(role(config, "api").healthcheck).toMatchObject({ path: "/api-up", port: 3000, interval: "7s" });
  });

  test("a destination is merged over the base in the same way", async () => {
    const config = await configOf(
      {
        "deploy.yml": kamal2("proxy: {host: example.com, app_port: 3000, healthcheck: {path: /up, interval: 2}}"),
        "deploy.staging.yml": "proxy: {host: staging.example.com, healthcheck: {interval: 9}}\n",
      },
      { destination: "staging" },
    );
    expect(role(config).proxy).toMatchObject({
      hosts: ["staging.example.com"],
      appPort: 3000,
      healthcheck: { path: "/up", intervalSeconds: 9 },
    });
  });

  test("labels that the file has win, if it configures Traefik; otherwise they have no effect, with a note", async () => {
    const labels = "labels: {traefik.http.routers.app-web.rule: Host(`own`), team: shop}";
    const rule = (config: Config) => roleLabels(config, config.roles[0]!).get("traefik.http.routers.app-web.rule");
    const alone = await load(`proxy: {host: a.b}\n${labels}`);
    expect(rule(alone)).toBe("Host(`a.b`)");
    expect(role(alone).labels).toEqual(new Map([["team", "shop"]]));
    expect(alone.notes).toEqual([
      "labels that begin with traefik. have no effect in a file of Kamal 2 without traefik: write proxy",
    ]);
    const configured = await load(`proxy: {host: a.b}\n${labels}\ntraefik: {args: {accesslog: true}}`);
    expect(rule(configured)).toBe("Host(`own`)");
    expect(configured.notes).toEqual([]);
  });

  test("forward_headers is true without ssl, and true for a server if it is for one of its apps, with a note", async () => {
    expect((await load("")).traefik.forwardHeaders).toBe(true);
    expect((await load("proxy: {forward_headers: false}")).traefik.forwardHeaders).toBe(false);
    expect((await load("proxy: {ssl: true, host: a.b}")).traefik.forwardHeaders).toBe(false);
    const config = await configOf(
      without(
        "servers",
        `servers:
  api: {hosts: [10.0.0.1], proxy: {host: a.b, forward_headers: false}}
  other: {hosts: [10.0.0.2], proxy: {host: c.d, forward_headers: false}}
  web: {hosts: [10.0.0.1]}`,
      ),
    );
    expect(traefikOn(config, "10.0.0.1").traefik.forwardHeaders).toBe(true);
    expect(traefikOn(config, "10.0.0.2").traefik.forwardHeaders).toBe(false);
    expect(config.notes).toEqual([
      "proxy.forward_headers: X-Forwarded headers of clients reach the role api too, because of the role web on the same server: Traefik has one setting for all of its apps",
    ]);
  });

  test("logging is a log of requests with the headers of all apps of the server, and traefik.args win", async () => {
    expect((await load("")).traefik.args).toEqual(new Map());
    const logging = "{request_headers: [X-A, User-Agent], response_headers: [x-a, X-B]}";
    const config = await load(`proxy: {logging: ${logging}}\ntraefik: {args: {accessLog.format: common}}`);
    expect(config.traefik.args).toEqual(
      new Map([
        ["accesslog.fields.headers.names.x-a", "keep"],
        ["accesslog.fields.headers.names.User-Agent", "keep"],
        ["accesslog.fields.headers.names.X-B", "keep"],
        ["accessLog.format", "common"],
      ]),
    );
    expect(config.notes).toEqual(["proxy.logging: Traefik logs the requests of every app of the server"]);
    expect((await load("proxy: {logging: {}}")).traefik.args).toEqual(
      new Map([
        ["accesslog.format", "json"],
        ["accesslog.fields.headers.names.Cache-Control", "keep"],
        ["accesslog.fields.headers.names.Last-Modified", "keep"],
        ["accesslog.fields.headers.names.User-Agent", "keep"],
      ]),
    );
  });

  test("log_max_size replaces the limit of logging for Traefik alone, and empty is none", async () => {
    const logging = async (more: string) => (await load(more)).traefik.logging;
    expect(await logging("")).toEqual({ driver: undefined, options: new Map(), maxSize: "10m" });
    expect(await logging("proxy: {run: {log_max_size: 2m}}")).toMatchObject({ maxSize: "2m" });
    expect(await logging('proxy: {run: {log_max_size: ""}}')).toEqual({ driver: undefined, options: new Map() });
    const config = await load("proxy: {run: {log_max_size: 2m}}\nlogging: {options: {max-size: 1m, max-file: 3}}");
    expect(config.traefik.logging).toEqual({ options: new Map([["max-file", "3"]]), maxSize: "2m" });
    expect(config.logging.options.get("max-size")).toBe("1m");
  });

  test("the servers of a role, and of an accessory, have the settings that its section run has", async () => {
    const config = await configOf(
      without(
        "servers",
        `servers: {web: {hosts: [10.0.0.1], proxy: {run: {http_port: 81}}}, jobs: [10.0.0.3]}
accessories: {db: {image: x, host: 10.0.0.2, proxy: {host: a.b, run: {http_port: 82, bind_ips: ["::1"]}}}}`,
      ),
    );
    const ports = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((host) => traefikOn(config, host).traefik.hostPort);
    expect(ports).toEqual([81, 82, 81]);
    expect(traefikOn(config, "10.0.0.2").traefik.bindIps).toEqual(["::1"]);
  });

  test("run configures Traefik's container, and the keys of traefik win", async () => {
    const run = "proxy: {run: {http_port: 8080, debug: true, options: {memory: 1g, cpus: 2}}}";
    expect((await load(run)).traefik).toMatchObject({
      hostPort: 8080,
      args: new Map([["log.level", "DEBUG"]]),
      options: new Map([
        ["memory", "1g"],
        ["cpus", "2"],
      ]),
    });
    expect((await load("proxy: {run: {publish: false}}")).traefik.hostPort).toBeUndefined();
    const traefik = "traefik: {host_port: 81, args: {log.level: INFO}, options: {memory: 2g}}";
    expect((await load(`${run}\n${traefik}`)).traefik).toMatchObject({
      hostPort: 81,
      args: new Map([["log.level", "INFO"]]),
      options: new Map([
        ["memory", "2g"],
        ["cpus", "2"],
      ]),
    });
  });

  test("the limit of a role's health check is deploy_timeout, and 30 without it", async () => {
    expect((await load("")).deployTimeoutSeconds).toBe(30);
    expect((await load("deploy_timeout: 75")).deployTimeoutSeconds).toBe(75);
    expect((await load("healthcheck: {max_attempts: 3}")).deployTimeoutSeconds).toBeUndefined();
    expect(await problemsOf(kamal2("deploy_timeout: 75\nhealthcheck: {max_attempts: 3}"))).toEqual([
      "deploy.yml:12:15: healthcheck/max_attempts: deploy_timeout sets the same limit, in seconds: keep one of the two",
    ]);
  });

  test("healthcheck keys of mrsk are allowed, unless proxy sets the same", async () => {
    const config = await load("proxy: {app_port: 3000, healthcheck: {path: /a}}\nhealthcheck: {cmd: bin/alive}");
    expect(role(config).healthcheck).toMatchObject({ cmd: "bin/alive", path: "/a", port: 3000 });
    expect(await problemsOf(kamal2("proxy: {healthcheck: {path: /a}}\nhealthcheck: {path: /b}"))).toEqual([
      "deploy.yml:12:15: healthcheck/path: proxy/healthcheck has path too: keep one of the two",
    ]);
  });

  test.each([
    ["proxy: {host: a.b, hosts: [c.d]}", "proxy: Specify one of 'host' or 'hosts', not both"],
    ["proxy: {hosts: a.b}", "proxy/hosts: should be a list, not a string"],
    ["proxy: true", "proxy: should be a map, not true or false"],
    ["proxy: {response_timeout: 1.5}", "proxy/response_timeout: should be a whole number of seconds, 0 or more"],
    ["proxy: {app_port: x}", "proxy/app_port: should be a number"],
    ["proxy: {ssl: true}", "proxy/ssl: Must set a host to enable automatic SSL: write host here as well"],
    ["proxy: {ssl: {}}", "proxy/ssl: Must set a host to enable automatic SSL: write host here as well"],
    [
      "proxy: {ssl: true, host: '*.a.b'}",
      "proxy/ssl: a certificate for a wildcard needs DNS: write certificate_pem and private_key_pem instead of true",
    ],
    ["proxy: {ssl: {certificate_pem: C}}", "proxy/ssl: certificate_pem needs private_key_pem: both name secrets"],
    [
      "proxy: {run: {publish: false, http_port: 8080}}",
      "proxy/run/http_port: publish: false publishes no port: remove one of the two",
    ],
    [
      "proxy: {host: 'https://a.b'}",
      "proxy/host: should be the name of a host such as example.com or *.example.com, or several with commas, without https:// and without a port",
    ],
    [
      "proxy: {run: {bind_ips: [localhost]}}",
      "proxy/run/bind_ips/0: should be an IP address such as 192.0.2.10 or 2001:db8::1",
    ],
    ["proxy: {run: {log_max_size: much}}", "proxy/run/log_max_size: should be a size such as 10m"],
    [
      "proxy: {logging: {request_headers: [a.b]}}",
      "proxy/logging/request_headers/0: should be the name of a header such as X-Request-ID",
    ],
    [
      "proxy: {run: {metrics_port: 8082}}",
      "proxy/run/metrics_port: Traefik has another entry point at port 8082 of its container: write another port",
    ],
    ["proxy: {path_prefix: 'a b'}", "proxy/path_prefix: should be a path such as /api, or several with commas"],
    ["proxy: {buffring: {}}", "proxy/buffring: unknown key: buffring (did you mean buffering?)"],
    ["accessories: {db: {image: x, host: h, proxy: true}}", "accessories/db/proxy: should be a map, not true or false"],
  ])("%s is refused", async (written, message) => {
    const problems = await problemsOf(kamal2(written));
    expect(problems.map((line) => line.replace(/^\S+: /, ""))).toEqual([message]);
  });

  test.each([
    [
      "servers: {web: {hosts: [10.0.0.1], proxy: {hosts: [c.d]}}}\nproxy: {host: a.b}",
      "servers/web/proxy: Specify one of 'host' or 'hosts', not both: proxy at the top level has host",
    ],
    [
      "servers: {web: {hosts: [10.0.0.1], proxy: true, traefik: true}}",
      "servers/web/traefik: proxy is the same setting in Kamal 2: remove one of the two",
    ],
    [
      "servers: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5]\nproxy: {ssl: true, host: a.b}",
      "proxy/ssl: an authority issues certificates for at most 4 servers of one name: write certificate_pem and private_key_pem",
    ],
    [
      "servers: {web: [10.0.0.1], api: {hosts: [10.0.0.1], proxy: {app_port: 81}}}\nproxy: {host: a.b}",
      "servers/api: host settings conflict with the role web: both serve a.b on one server",
    ],
    [
      "servers: [10.0.0.1]\nproxy: {host: a.b}\naccessories: {db: {image: x, role: web, proxy: {host: a.b}}}",
      "accessories/db/proxy: host settings conflict with the role web: both serve a.b on one server",
    ],
    [
      "servers: [10.0.0.1: eu]\naccessories: {a: {image: x, tag: eu, proxy: {host: c.d}}, b: {image: x, host: 10.0.0.1, proxy: {hosts: [c.d]}}}",
      "accessories/b/proxy: host settings conflict with the accessory a: both serve c.d on one server",
    ],
    [
      "servers: [10.0.0.1]\naccessories: {web: {image: x, host: h, proxy: {host: a.b}}}",
      "accessories/web/proxy: app-web is the name of the role web in Traefik: write service with another name",
    ],
    [
      "servers: [10.0.0.1]\naccessories: {db: {image: x, host: h, network: other, proxy: {host: a.b}}}",
      "accessories/db/network: Traefik is on the network kamal, and cannot reach an accessory with proxy on another one",
    ],
    [
      "servers: [10.0.0.1]\nnetwork: own\naccessories: {db: {image: x, host: h, options: {network: host}, proxy: {host: a.b}}}",
      "accessories/db/options/network: Traefik is on the network own, and cannot reach an accessory with proxy on another one",
    ],
    [
      "servers: {web: {hosts: [10.0.0.1], proxy: {run: {http_port: 8080}}}, api: {hosts: [10.0.0.1, 10.0.0.2], proxy: {host: a.b, run: {http_port: 8081}}}}",
      "servers/api/proxy/run: Conflicting proxy run configurations for host 10.0.0.1: the role web has other settings",
    ],
    [
      "servers: [10.0.0.1]\nproxy: {run: {debug: true}}\naccessories: {db: {image: x, role: web, proxy: {host: a.b, run: {debug: false}}}}",
      "accessories/db/proxy/run: Conflicting proxy run configurations for host 10.0.0.1: the role web has other settings",
    ],
    [
      "servers: {web: [10.0.0.1], api: {hosts: [10.0.0.1], proxy: {path_prefixes: [/x, api/]}}}\nproxy: {hosts: [c.d, a.b], path_prefix: /api}",
      "servers/api: host settings conflict with the role web: both serve c.d/api on one server",
    ],
    [
      "servers: {web: [10.0.0.1], api: {hosts: [10.0.0.1], traefik: true}}",
      "servers/api: host settings conflict with the role web: both serve every host on one server",
    ],
  ])("%s is refused", async (written, message) => {
    const problems = await problemsOf(without("servers", written));
    expect(problems.map((line) => line.replace(/^\S+: /, ""))).toEqual([message]);
  });

  test.each([
    "servers: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]\nproxy: {ssl: true, host: a.b}",
    "servers: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5]\nproxy: {ssl: {certificate_pem: C, private_key_pem: K}, host: a.b}",
    "servers: {web: [10.0.0.1], api: {hosts: [10.0.0.1], proxy: {path_prefix: /api}}}\nproxy: {host: a.b}",
    "servers: {web: [10.0.0.1], api: {hosts: [10.0.0.2], proxy: true}}\nproxy: {host: a.b}",
    "servers: {web: {hosts: [10.0.0.1], proxy: {host: c.d}}}\nproxy: {host: a.b}",
    "servers: [10.0.0.1]\nproxy: {run: {debug: true, http_port: 81}}\naccessories: {db: {image: x, role: web, proxy: {host: a.b, run: {http_port: 81, debug: true}}}}",
    "servers: [10.0.0.1]\nproxy: {run: {debug: true}}\naccessories: {db: {image: x, role: web, proxy: {host: a.b}}}",
    "servers: {web: {hosts: [10.0.0.1], proxy: {run: {http_port: 81}}}, api: {hosts: [10.0.0.2], proxy: {run: {http_port: 82}}}}",
    "servers: [10.0.0.1]\naccessories: {db: {image: x, host: h, network: kamal, proxy: {host: a.b}}}",
    "servers: [10.0.0.1]\naccessories: {db: {image: x, host: h, network: other, proxy: {}}}",
  ])("%s loads", async (written) => {
    expect(await problemsOf(without("servers", written))).toEqual([]);
  });

  test.each(["ssl: true", "ssl: {certificate_pem: C, private_key_pem: K}"])(
    "%s of an accessory loads, and a deploy refuses it",
    async (ssl) => {
      const { unsupported } = await load(`accessories: {db: {image: x, host: h, proxy: {host: a.b, ${ssl}}}}`);
      expect(unsupported.map((text) => text.replace(/^\S+: /, ""))).toEqual([
        "accessories/db/proxy/ssl: not supported yet: mrsk gets certificates for roles alone: end TLS in front of the accessory",
      ]);
    },
  );

  test("ssl: false of an accessory is supported", async () => {
    const { unsupported } = await load("accessories: {db: {image: x, host: h, proxy: {host: a.b, ssl: false}}}");
    expect(unsupported).toEqual([]);
  });

  test("https_port: 443 has no note", async () => {
    expect((await load("proxy: {run: {https_port: 443}}")).notes).toEqual([]);
  });

  test.each([
    "{ssl: false}",
    "{ssl: true, host: a.b}",
    "{ssl: {certificate_pem: C, private_key_pem: K}, host: a.b}",
    "{forward_headers: false}",
    "{response_timeout: 60}",
    "{buffering: {requests: false, responses: false}}",
    "{buffering: {requests: true, max_request_body: 1, max_response_body: 2, memory: 3}}",
  ])("%s is supported", async (section) => {
    expect((await load(`proxy: ${section}`)).unsupported).toEqual([]);
  });
});

describe("env", () => {
  test("NAME:OTHER sets NAME to the secret OTHER, at every place", async () => {
    const config = await configOf(
      without(
        "servers",
        `servers: {web: {hosts: [10.0.0.1: eu], env: {secret: ["B:ROLE_B"]}}}
env: {secret: [A, "B:ROOT_B", "C:SOME_C"], tags: {eu: {secret: ["C:TAG_C"]}}}
accessories: {db: {image: x, host: h, env: {secret: ["PASSWORD:DB_PASSWORD"]}}}`,
      ),
    );
    expect(role(config).env).toEqual({
      clear: new Map(),
      secret: ["A", "B", "C"],
      sources: new Map([
        ["B", "ROLE_B"],
        ["C", "SOME_C"],
      ]),
    });
    expect(role(config).hostEnv?.get("10.0.0.1")?.sources?.get("C")).toBe("TAG_C");
    expect(config.accessories[0]!.env.sources).toEqual(new Map([["PASSWORD", "DB_PASSWORD"]]));
  });

  test("a later name without an alias is its own secret again", async () => {
    const config = await configOf(
      without("servers", `servers: {web: {hosts: [h], env: {secret: [B]}}}\nenv: {secret: ["B:ROOT_B"]}`),
    );
    expect(role(config).env).toEqual({ clear: new Map(), secret: ["B"] });
  });

  test("a clear value wins over a secret of any level, with a note", async () => {
    const config = await configOf(
      without("servers", "servers: {web: {hosts: [h], env: {secret: [A]}}}\nenv: {clear: {A: clear}, secret: [B]}"),
    );
    expect(role(config).env).toEqual({ clear: new Map([["A", "clear"]]), secret: ["B"] });
    expect(config.notes).toEqual(["env: A is in clear and in secret: the clear value wins, as in Kamal 2"]);
  });

  test("the same holds for accessories and Traefik", async () => {
    const env = "env: {clear: {A: clear}, secret: [A]}";
    const config = await load(`accessories: {db: {image: x, host: h, ${env}}}\ntraefik: {${env}}`);
    const expected = { clear: new Map([["A", "clear"]]), secret: [] };
    expect([config.accessories[0]!.env, config.traefik.env]).toEqual([expected, expected]);
    expect(config.notes).toHaveLength(1);
  });

  test("an empty value removes the variable; false and 0 are values", async () => {
    const config = await load('env: {A: "", B: false, C: 0}');
    expect(role(config).env.clear).toEqual(
      new Map([
        ["B", "false"],
        ["C", "0"],
      ]),
    );
  });
});

describe("accessories", () => {
  const db = async (more: string, servers = "servers: {web: [10.0.0.1: eu], jobs: [10.0.0.2: [eu, us]]}") =>
    (await configOf(without("servers", `${servers}\naccessories: {db: {image: postgres:16, ${more}}}`)))
      .accessories[0]!;

  test.each([
    ["role: jobs", ["10.0.0.2"]],
    ["roles: [web, jobs]", ["10.0.0.1", "10.0.0.2"]],
    ["tag: eu", ["10.0.0.1", "10.0.0.2"]],
    ["tags: [us]", ["10.0.0.2"]],
    ["hosts: [10.0.0.8]", ["10.0.0.8"]],
  ])("%s", async (placement, hosts) => {
    expect((await db(placement)).hosts.toSorted()).toEqual(hosts);
  });

  test.each([
    ["role: nope", "accessories/db/role: unknown role: nope (roles: web)"],
    ["tag: nope", "accessories/db/tag: no host of servers has the tag nope"],
    [
      "role: web, host: h",
      "accessories/db: Specify one of `host`, `hosts`, `roles`, `role`, `tag` or `tags` for accessory `db`",
    ],
  ])("%s is refused", async (placement, message) => {
    const problems = await problemsOf(
      without("servers", `servers: {web: [10.0.0.1: eu]}\naccessories: {db: {image: x, ${placement}}}`),
    );
    expect(problems.map((line) => line.replace(/^\S+: /, ""))).toEqual([message]);
  });

  test("a registry is put before the image", async () => {
    const accessory = await db("host: h, registry: {server: ghcr.io, username: me, password: [DB_TOKEN]}");
    expect(accessory.image).toBe("ghcr.io/postgres:16");
    expect(accessory.registry?.password).toEqual({ variable: "DB_TOKEN" });
    const problems = await problemsOf(kamal2("accessories: {db: {image: x, host: h, registry: {server: ghcr.io}}}"));
    expect(problems.map((line) => line.split(": ")[1])).toEqual([
      "accessories/db/registry/username",
      "accessories/db/registry/password",
    ]);
  });

  test("files: a third part of digits is a mode, another one options of the mount; the map has all", async () => {
    const files = 'files: [a:/a:ro, "b:/b:0640", c:/c, {local: d, remote: /d, mode: "600", owner: "1:2", options: z}]';
    expect((await db(`host: h, ${files}`)).files).toEqual([
      { local: "a", remote: "/a", mode: "755", mountOptions: "ro" },
      { local: "b", remote: "/b", mode: "0640" },
      { local: "c", remote: "/c", mode: "755" },
      { local: "d", remote: "/d", mode: "600", owner: "1:2", mountOptions: "z" },
    ]);
  });

  test("directories may be maps", async () => {
    const map = '{local: data, remote: /data, mode: "750", owner: app, options: ro}';
    expect((await db(`host: h, directories: [${map}, /srv/x:/x]`)).directories).toEqual([
      { source: "data", target: "/data", mode: "750", owner: "app", mountOptions: "ro" },
      { source: "/srv/x", target: "/x" },
    ]);
  });

  test("proxy inherits nothing, and is none if it is empty or false", async () => {
    const yaml = (proxy: string) =>
      kamal2(`proxy: {app_port: 3000}\naccessories: {db: {image: x, host: h, proxy: ${proxy}}}`);
    const config = await configOf(yaml("{host: db.example.com}"));
    expect(config.accessories[0]!.proxy).toMatchObject({ hosts: ["db.example.com"], appPort: 80 });
    expect(config.unsupported).toEqual([]);
    expect((await configOf(yaml("{host: db.example.com, response_timeout: 60}"))).unsupported).toEqual([
      "deploy.yml:12:69: accessories/db/proxy/response_timeout: not supported yet: Traefik waits for responses of an accessory without a limit: omit it",
    ]);
    for (const proxy of ["{}", "false"]) expect((await configOf(yaml(proxy))).accessories[0]!.proxy).toBeUndefined();
  });
});

test.each([
  ["asset_path: /app/public", "/app/public", undefined],
  ["asset_path: /app/public:ro", "/app/public", "ro"],
  ["asset_path: false", undefined, undefined],
])("%s", async (written, path, options) => {
  expect(role(await load(written))).toMatchObject({ assetPath: path, assetOptions: options });
});

test("asset_path applies to roles behind the proxy only, and false in a role has no effect", async () => {
  const config = await configOf(
    without(
      "servers",
      "servers: {web: {hosts: [10.0.0.1], asset_path: false}, jobs: [10.0.0.2]}\nasset_path: /app/public",
    ),
  );
  expect(config.roles.map(({ assetPath }) => assetPath)).toEqual([undefined, "/app/public"]);
  expect(config.notes).toEqual([
    "servers.web.asset_path: false has no effect: the global asset_path applies, as in Kamal 2",
  ]);
});

test.each([
  ["hooks_output: quiet", { all: "quiet", byHook: new Map() }],
  ["hooks_output: :verbose", { all: "verbose", byHook: new Map() }],
  [
    "hooks_output: {pre-build: :quiet, post-deploy: verbose}",
    {
      all: undefined,
      byHook: new Map([
        ["pre-build", "quiet"],
        ["post-deploy", "verbose"],
      ]),
    },
  ],
])("%s", async (written, output) => {
  expect((await load(written)).hooksOutput).toEqual(output);
});

test.each([
  ["run_directory: .other", "run_directory has no effect in a file of Kamal 2: the directory is .kamal"],
  ["boot: {parallel_roles: true}", "boot.parallel_roles has no effect here: "],
  ["error_pages_path: public", "error_pages_path has no effect here: "],
  ["ssh: {forward_agent: true}", "ssh.forward_agent has no effect here: "],
  ["sshkit: {dns_retries: 2}", "sshkit.dns_retries has no effect here: "],
  ["output: {otel: {endpoint: 'http://o'}}", "output.otel has no effect here: "],
  ["output: {file: {path: log}}", "output.file has no effect here: "],
  [
    "proxy: {run: {https_port: 8443}}",
    "proxy.run.https_port has no effect here: Traefik publishes port 443 for HTTPS, if it is free",
  ],
  ["proxy: {run: {version: v0.9.2}}", "proxy.run.version has no effect here: "],
  ["proxy: {buffering: {requests: true}}", "proxy.buffering.requests has no effect here: Traefik streams bodies"],
  ["proxy: {buffering: {responses: true}}", "proxy.buffering.responses has no effect here: Traefik streams bodies"],
  ["proxy: {buffering: {memory: 2000000}}", "proxy.buffering.memory has no effect here: Traefik streams bodies"],
  [
    "proxy: {buffering: {requests: true, max_request_body: 10, memory: 5}}",
    "proxy.buffering: for max_request_body, Traefik reads whole bodies of requests and responses before they go on: responses of role web are not streamed",
  ],
  [
    "accessories: {db: {image: x, host: h, proxy: {host: a.b, buffering: {max_response_body: 10}}}}",
    "accessories.db.proxy.buffering: for max_response_body, Traefik reads whole bodies of requests and responses before they go on: responses of accessory db are not streamed",
  ],
  [
    "proxy: {buffering: {requests: false, max_request_body: 10}}",
    "proxy.buffering.max_request_body has no effect: requests is false, and Kamal 2 limits only what it buffers",
  ],
])("%s loads with a note", async (written, note) => {
  const config = await load(written);
  expect(config.notes).toEqual([expect.stringContaining(note)]);
  expect(config.runDirectory).toBe(".kamal");
});

test.each([
  "ssh: {forward_agent: false, user: app, port: '2222', keys: [a], keys_only: true, config: [b]}",
  "minimum_version: 2.12.0",
  "aliases: {console: app exec -i bin/console, logs: app logs -f}",
  "logging: {driver: local, options: {max-size: 10m}}",
  "boot: {limit: 25%, wait: 3}",
  "retain_containers: 3\nprimary_role: web\nallow_empty_roles: true\nreadiness_delay: 9",
  // Keys of mrsk alone, as extensions.
  "release: bin/migrate\nboot: {watch: 9, order: stop_first}\nnetwork: own\nhooks_path: deploy/hooks",
  "traefik: {image: traefik:v3.1, args: {accesslog: true}}",
])("%s loads without a note", async (written) => {
  expect((await load(written)).notes).toEqual([]);
});

test.each([
  ["always", "always"],
  ['"no"', "no"],
  ["on-failure:3", "on-failure:3"],
])("options.restart: %s is the policy of live containers", async (written, policy) => {
  const config = await configOf(
    without("servers", `servers: {web: {hosts: [h], options: {restart: ${written}, init: true}}}`),
  );
  expect(role(config)).toMatchObject({ restartPolicy: policy, options: new Map([["init", true]]) });
});

test.each([
  ["no", 'Use "no" to disable restarts'],
  ["sometimes", "should be no, always, unless-stopped or on-failure[:N]"],
])("options.restart: %s is refused", async (written, message) => {
  const options = `options: {restart: ${written}}`;
  const yaml = `servers: {web: {hosts: [h], ${options}}}\naccessories: {db: {image: x, host: h, ${options}}}`;
  const problems = await problemsOf(without("servers", yaml));
  expect(problems.map((line) => line.replace(/^\S+: /, ""))).toEqual([
    `servers/web/options/restart: ${message}`,
    `accessories/db/options/restart: ${message}`,
  ]);
});

test("of a key that is written twice, the last value counts, with a note", async () => {
  const config = await load("labels:\n  a: 1\n  a: 2");
  expect(role(config).labels).toEqual(new Map([["a", "2"]]));
  expect(config.notes).toEqual([
    "deploy.yml:13:3: duplicate key: a (first written at deploy.yml:12:3): the last value counts",
  ]);
});

test.each([
  ["---", 12],
  ["...", 13],
])("a second document behind %s is ignored, with a note", async (separator, line) => {
  const config = await load(`labels: {a: 1}\n${separator}\nlabels: {a: 2}`);
  expect(role(config).labels).toEqual(new Map([["a", "1"]]));
  expect(config.notes).toEqual([
    `deploy.yml:${line}:1: a second document starts here: a file is one document, remove the \`---\` or \`...\`: only the first document counts`,
  ]);
});

test("builder.remote: false is no remote builder", async () => {
  const { builder } = await configOf(without("builder", "builder: {arch: amd64, remote: false}"));
  expect(builder).toMatchObject({ kind: "multiarch", local: { arch: "amd64" }, remote: undefined });
});

test("builder.cache without a type caches nothing, with a note", async () => {
  const { builder, notes } = await configOf(without("builder", "builder: {arch: amd64, cache: {options: mode=max}}"));
  expect(builder).toMatchObject({ kind: "multiarch", cache: undefined });
  expect(notes).toEqual(["builder.cache has no effect: it has no type, which is gha or registry"]);
});

test("an image that repeats the registry's server is at this server, as in Kamal", async () => {
  const config = await configOf(`service: app
image: ghcr.io/acme/app
servers: [h]
registry: {server: ghcr.io, username: u, password: [P]}
builder: {arch: amd64}
`);
  expect(config.repository).toBe("ghcr.io/ghcr.io/acme/app");
  expect(config.notes).toEqual([
    "image: registry/server is put before it, and the images are at ghcr.io/ghcr.io/acme/app, as in Kamal 2",
  ]);
});

test("an image on another registry than the login's has a note", async () => {
  const config = await configOf(without("image", "image: ghcr.io/acme/app"));
  expect(config.repository).toBe("ghcr.io/acme/app");
  expect(config.notes).toEqual([
    "image: ghcr.io is a registry, and without registry/server the login goes to Docker Hub, as in Kamal 2",
  ]);
});
