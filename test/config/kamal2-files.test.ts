import { describe, expect, test } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { openVariables } from "../../src/config/kamal-secrets/project-variables.ts";
import { loadConfig } from "../../src/config/load.ts";
import { project } from "../support/cli.ts";
import { configOf, problemsOf } from "./from-yaml.ts";

/** Small files in the forms that projects of Kamal 2 have, each construct alone and those that occur together. */

async function load(yaml: string, more: Readonly<Record<string, string>> = {}, destination?: string) {
  const given = destination === undefined ? {} : { destination };
  return configOf({ "deploy.yml": yaml, ...more }, given);
}

const role = ({ roles }: Config, name: string) => roles.find((one) => one.name === name)!;
const clear = (config: Config, name = "web") => Object.fromEntries(role(config, name).env.clear);

const MINIMAL = `service: app
image: acme/app
servers: [192.0.2.1]
registry: {username: me, password: [KAMAL_REGISTRY_PASSWORD]}
`;

describe("builder", () => {
  test.each([
    ["arch: amd64", { kind: "multiarch", local: { arch: "amd64" }, remote: undefined }],
    ["arch: [arm64]", { kind: "multiarch", local: { arch: "arm64" }, remote: undefined }],
    ["arch: [amd64, arm64]", { kind: "multiarch", local: { arch: "amd64,arm64" }, remote: undefined }],
    // An architecture that no machine of a test has: the other machine builds it.
    [
      "{arch: s390x, remote: ssh://docker@builder}",
      { kind: "native/remote", local: undefined, remote: { arch: "s390x", host: "ssh://docker@builder" } },
    ],
    [
      "{arch: [s390x, riscv64], remote: tcp://builder:2375, local: true}",
      { kind: "native/remote", local: undefined, remote: { arch: "s390x,riscv64", host: "tcp://builder:2375" } },
    ],
    [
      "{arch: amd64, remote: ssh://b, local: false}",
      { kind: "native/remote", local: undefined, remote: { arch: "amd64", host: "ssh://b" } },
    ],
    ["{arch: arm64, driver: docker}", { kind: "native", nativeArch: "arm64" }],
    ["{arch: amd64, driver: docker-container}", { kind: "multiarch", local: { arch: "amd64" } }],
    [
      "{arch: amd64, cache: {type: registry, image: acme/cache, options: mode=max}}",
      { cache: { type: "registry", image: "acme/cache", options: "mode=max" } },
    ],
    [
      "{arch: amd64, args: {RUBY: 3.4, DEBUG: true, GIT_SHA: ''}, secrets: [GITHUB_TOKEN]}",
      {
        args: new Map([
          ["RUBY", "3.4"],
          ["DEBUG", "true"],
        ]),
        inheritedArgs: ["GIT_SHA"],
        secrets: ["GITHUB_TOKEN"],
      },
    ],
    [
      "{arch: amd64, context: ., dockerfile: deploy/Dockerfile, target: web, ssh: default}",
      { context: ".", contextGiven: true, dockerfile: "deploy/Dockerfile", target: "web", ssh: "default" },
    ],
  ])("%s", async (builder, expected) => {
    const yaml = builder.startsWith("{") ? builder : `{${builder}}`;
    expect((await load(`${MINIMAL}builder: ${yaml}\n`)).builder).toMatchObject(expected);
  });
});

const WEB = `service: shop
image: acme/shop
servers:
  web: [192.0.2.1]
registry:
  server: ghcr.io
  username: me
  password: [KAMAL_REGISTRY_PASSWORD]
builder:
  arch: amd64
`;

test("a file as Kamal's template writes it", async () => {
  const config = await load(`${WEB}
proxy:
  ssl: true
  host: app.example.com
env:
  secret: [RAILS_MASTER_KEY]
  clear: {WEB_CONCURRENCY: 2}
aliases:
  console: app exec --interactive --reuse "bin/rails console"
volumes: ["shop_storage:/rails/storage"]
asset_path: /rails/public/assets
`);
  expect(config).toMatchObject({
    service: "shop",
    repository: "ghcr.io/acme/shop",
    registry: { server: "ghcr.io", password: { variable: "KAMAL_REGISTRY_PASSWORD" } },
    primaryHost: "192.0.2.1",
    network: "kamal",
    runDirectory: ".kamal",
    kamalVariables: true,
    destinationLabel: "",
    deployTimeoutSeconds: 30,
    volumes: ["shop_storage:/rails/storage"],
    aliases: new Map([["console", 'app exec --interactive --reuse "bin/rails console"']]),
    notes: [],
  });
  expect(role(config, "web")).toMatchObject({
    traefik: true,
    proxy: { hosts: ["app.example.com"], appPort: 80, ssl: "acme", sslRedirect: true, forwardHeaders: false },
    healthcheck: { path: "/up", port: 80, intervalSeconds: 1, timeoutSeconds: 5 },
    env: { clear: new Map([["WEB_CONCURRENCY", "2"]]), secret: ["RAILS_MASTER_KEY"] },
    assetPath: "/rails/public/assets",
  });
});

test("proxy: a port, a time limit and a check of the app, behind a balancer that ends TLS", async () => {
  const config = await load(`${WEB}
deploy_timeout: 120
drain_timeout: 20
proxy:
  host: app.example.com
  ssl: false
  app_port: 3000
  forward_headers: true
  response_timeout: 60
  healthcheck: {path: /healthz, interval: 3, timeout: 15}
  buffering: {requests: true, responses: false, max_request_body: 100_000_000}
`);
  expect(config).toMatchObject({ deployTimeoutSeconds: 120, drainTimeoutSeconds: 20 });
  expect(role(config, "web")).toMatchObject({
    proxy: {
      ssl: false,
      forwardHeaders: true,
      responseTimeoutSeconds: 60,
      buffering: { requests: true, responses: false, maxRequestBytes: 100_000_000, maxResponseBytes: undefined },
    },
    healthcheck: { path: "/healthz", port: 3000, interval: "3s", intervalSeconds: 3, timeoutSeconds: 15 },
  });
});

test("proxy: several hosts and paths, a certificate of one's own, logging and run", async () => {
  const { roles } = await load(`${WEB}
proxy:
  hosts: [app.example.com, "*.app.example.com"]
  ssl: {certificate_pem: CERTIFICATE, private_key_pem: KEY}
  ssl_redirect: false
  path_prefixes: [/api, /hooks/]
  strip_path_prefix: false
  logging: {request_headers: [X-Request-ID], response_headers: [X-Runtime]}
  run: {http_port: 8080, https_port: 8443, bind_ips: ["127.0.0.1", "::1"], metrics_port: 9090, log_max_size: ""}
`);
  expect(roles[0]!.proxy).toMatchObject({
    hosts: ["app.example.com", "*.app.example.com"],
    ssl: { certificate: "CERTIFICATE", privateKey: "KEY" },
    sslRedirect: false,
    forwardHeaders: false,
    pathPrefixes: ["/api", "/hooks"],
    stripPathPrefix: false,
    logging: { requestHeaders: ["X-Request-ID"], responseHeaders: ["X-Runtime"] },
    run: { httpPort: 8080, httpsPort: 8443, bindIps: ["127.0.0.1", "::1"], metricsPort: 9090, logMaxSize: "" },
  });
});

test("roles: one without proxy, one with its own, one that takes the global one", async () => {
  const config = await load(`service: shop
image: acme/shop
servers:
  web:
    hosts: [192.0.2.1, 192.0.2.2]
  api:
    hosts: [192.0.2.3]
    proxy: {host: api.example.com, app_port: 4000}
  admin:
    hosts: [192.0.2.4]
    proxy: true
  jobs:
    hosts: [192.0.2.1]
    cmd: bin/jobs
    options: {memory: 2g, cap-add: [A, B], init: true, read-only: false}
    stop_timeout: 60
registry: {username: me, password: [P]}
builder: {arch: amd64}
proxy: {app_port: 3000, healthcheck: {path: /ok}}
`);
  expect(config.roles.map(({ name, proxy, stopWaitSeconds }) => [name, proxy?.appPort, stopWaitSeconds])).toEqual([
    ["admin", 3000, undefined],
    ["api", 4000, undefined],
    ["jobs", undefined, 60],
    ["web", 3000, undefined],
  ]);
  expect(role(config, "api").proxy).toMatchObject({ hosts: ["api.example.com"], healthcheck: { path: "/ok" } });
  expect(role(config, "jobs")).toMatchObject({ traefik: false, cmd: "bin/jobs", healthcheck: undefined });
  expect([...role(config, "jobs").options]).toEqual([
    ["memory", "2g"],
    ["cap-add", ["A", "B"]],
    ["init", true],
    ["read-only", "false"],
  ]);
});

test("proxy: false in the primary role: no role is behind the proxy", async () => {
  const { roles } = await load(
    `${MINIMAL.replace("[192.0.2.1]", "{web: {hosts: [192.0.2.1], proxy: false}}")}builder: {arch: amd64}\n`,
  );
  expect(roles[0]).toMatchObject({ traefik: false, proxy: undefined, healthcheck: undefined, stopWaitSeconds: 30 });
});

describe("env", () => {
  test("a flat form, and values that YAML reads as numbers, times and booleans", async () => {
    const config = await load(
      `${WEB}env: {PORT: 0755, AT: 12:30, MANY: 1_000, LIGHT: yes, DARK: no, RATE: 1.50, HEX: 0x1f, TEXT: "0755", ZERO: 0}\n`,
    );
    expect(clear(config)).toEqual({
      PORT: "493",
      AT: "45000",
      MANY: "1000",
      LIGHT: "true",
      DARK: "false",
      RATE: "1.5",
      HEX: "31",
      TEXT: "0755",
      ZERO: "0",
    });
  });

  test("a split form of a role is merged over that of the top level", async () => {
    const config = await load(
      `${WEB.replace("[192.0.2.1]", "{hosts: [192.0.2.1], env: {clear: {A: role}, secret: [S]}}")}env: {clear: {A: root, B: root}, secret: [T]}\n`,
    );
    expect(clear(config)).toEqual({ A: "role", B: "root" });
    expect(role(config, "web").env.secret).toEqual(["T", "S"]);
  });

  test("tags apply in the order of the host's list, after the role", async () => {
    const { roles } = await load(`service: shop
image: acme/shop
servers:
  web:
    hosts: [192.0.2.1: [b, a], 192.0.2.2: a b, 192.0.2.3]
    env: {A: role}
registry: {username: me, password: [P]}
builder: {arch: amd64}
env:
  clear: {A: root, B: root}
  tags:
    a: {A: a}
    b: {clear: {A: b, B: b}, secret: [S]}
    a b: {B: both}
`);
    const at = (host: string) => roles[0]!.hostEnv?.get(host);
    expect(Object.fromEntries(at("192.0.2.1")!.clear)).toEqual({ A: "a", B: "b" });
    expect(at("192.0.2.1")!.secret).toEqual(["S"]);
    expect(Object.fromEntries(at("192.0.2.2")!.clear)).toEqual({ A: "role", B: "both" });
    expect(at("192.0.2.3")).toBeUndefined();
  });

  test("of two secrets for one variable, the later counts", async () => {
    const { roles } = await load(`${WEB}env: {secret: ["DB:FIRST", "DB:SECOND"]}\n`);
    expect(roles[0]!.env).toEqual({ clear: new Map(), secret: ["DB"], sources: new Map([["DB", "SECOND"]]) });
  });

  test.each([
    ["a role with tags", "servers/web/env/tags: unknown key: tags (known keys: clear, secret)", "{tags: {a: {}}}"],
    ["a list as a value", "servers/web/env/A: should be a string, not a list", "{A: [1]}"],
  ])("%s is refused", async (_, message, env) => {
    const yaml = WEB.replace("[192.0.2.1]", `{hosts: [192.0.2.1], env: ${env}}`);
    expect((await problemsOf(yaml)).map((line) => line.replace(/^\S+: /, ""))).toEqual([message]);
  });
});

describe("destinations", () => {
  const base = `${WEB}
proxy: {host: app.example.com, app_port: 3000}
env: {clear: {A: base, B: base}, secret: [S, T]}
`;

  test("maps are merged, lists replaced", async () => {
    const staging =
      "servers: {web: [192.0.2.9]}\nproxy: {host: staging.example.com}\nenv: {clear: {A: staging}, secret: [U]}\n";
    const config = await load(base, { "deploy.staging.yml": staging }, "staging");
    expect(config).toMatchObject({ destination: "staging", destinationLabel: "staging", primaryHost: "192.0.2.9" });
    expect(role(config, "web").proxy).toMatchObject({ hosts: ["staging.example.com"], appPort: 3000 });
    expect(clear(config)).toEqual({ A: "staging", B: "base" });
    expect(role(config, "web").env.secret).toEqual(["U"]);
  });

  test("a flat env over a split one is an error, with its place", async () => {
    const files = { "deploy.yml": base, "deploy.staging.yml": "env: {A: 1}\n" };
    expect(await problemsOf(files, { destination: "staging" })).toEqual([
      "deploy.staging.yml:1:7: env/A: unknown key: A (known keys: clear, secret, tags)",
    ]);
  });

  test.each([
    ["servers", "servers:\n  web: [192.0.2.1]\n", "Missing required configuration for servers"],
    ["service", "service: shop\n", "Missing required configuration for service"],
  ])("%s that only the destination has: the message names -d", async (key, removed, message) => {
    const files = { "deploy.yml": WEB.replace(removed, ""), "deploy.production.yml": "labels: {a: b}\n" };
    expect(await problemsOf(files)).toEqual([
      `deploy.yml:1:1: ${key}: ${message}: if a destination has it, run with -d production`,
    ]);
  });

  test("require_destination names -d", async () => {
    const files = { "deploy.yml": `${WEB}require_destination: true\n`, "deploy.eu.yml": "", "deploy.us.yml": "" };
    expect(await problemsOf(files)).toEqual([
      "deploy.yml:11:1: require_destination: You must specify a destination (-d NAME): run with -d eu or -d us",
    ]);
  });
});

describe("accessories", () => {
  test("a database and a cache next to the app, in every form of their keys", async () => {
    const config = await load(`${WEB}
accessories:
  db:
    image: postgres:17
    host: 192.0.2.5
    port: "127.0.0.1:5432:5432"
    cmd: postgres -c max_connections=200
    env: {clear: {POSTGRES_USER: shop}, secret: ["POSTGRES_PASSWORD:DB_PASSWORD"]}
    files: [config/db.conf:/etc/db.conf:ro, {local: init, remote: /init, mode: 640, owner: "999:999"}]
    directories: [data:/var/lib/postgresql/data, {local: /srv/wal, remote: /wal, options: "ro,z"}]
    options: {shm-size: 1g, restart: always}
  cache:
    service: shop-valkey
    image: valkey/valkey:8
    roles: [web]
    port: 6379
    network: private
    volumes: ["/srv/valkey:/data"]
    labels: {backup: "no"}
`);
    expect(config.accessories).toMatchObject([
      {
        service: "shop-db",
        image: "postgres:17",
        hosts: ["192.0.2.5"],
        publish: "127.0.0.1:5432:5432",
        cmd: "postgres -c max_connections=200",
        env: {
          clear: new Map([["POSTGRES_USER", "shop"]]),
          secret: ["POSTGRES_PASSWORD"],
          sources: new Map([["POSTGRES_PASSWORD", "DB_PASSWORD"]]),
        },
        files: [
          { local: "config/db.conf", remote: "/etc/db.conf", mode: "755", mountOptions: "ro" },
          { local: "init", remote: "/init", mode: "640", owner: "999:999", mountOptions: undefined },
        ],
        directories: [
          { source: "data", target: "/var/lib/postgresql/data", mountOptions: undefined },
          { source: "/srv/wal", target: "/wal", mountOptions: "ro,z" },
        ],
        options: new Map([
          ["shm-size", "1g"],
          ["restart", "always"],
        ]),
      },
      {
        service: "shop-valkey",
        hosts: ["192.0.2.1"],
        publish: "6379:6379",
        network: "private",
        volumes: ["/srv/valkey:/data"],
        labels: new Map([["backup", "no"]]),
      },
    ]);
  });

  test("proxy takes nothing from the section at the top level", async () => {
    const { accessories } = await load(`${WEB}
proxy: {host: app.example.com, app_port: 3000, healthcheck: {path: /ok}}
accessories:
  search: {image: search, role: web, proxy: {hosts: [search.example.com], healthcheck: {path: /health}}}
  other: {image: other, role: web, proxy: {app_port: 7700}}
`);
    expect(accessories.map(({ proxy }) => [proxy?.hosts, proxy?.appPort, proxy?.healthcheck.path])).toEqual([
      [["search.example.com"], 80, "/health"],
      [[], 7700, "/up"],
    ]);
  });

  test.each([
    ["role: web", "role: unknown role: web (there are no servers: write host)"],
    ["roles: [web]", "roles/0: unknown role: web (there are no servers: write host)"],
    ["tag: eu", "tag: no host of servers has the tag eu"],
  ])("without servers, %s is refused", async (placement, message) => {
    const yaml = `${MINIMAL.replace("servers: [192.0.2.1]\n", "")}builder: {arch: amd64}\naccessories: {db: {image: x, ${placement}}}\n`;
    expect((await problemsOf(yaml)).map((line) => line.replace(/^\S+: accessories\/db\//, ""))).toEqual([message]);
  });

  test.each([
    ["logging: {driver: local}", /db\/logging: unknown key: logging/],
    ["options: {env: {A: 1}}", /db\/options\/env: should be a string or a list, not a map/],
    ["labels: {service: other}", /db\/labels\/service: Cannot use service label/],
  ])("%s is refused, as in Kamal 2", async (written, message) => {
    const problems = await problemsOf(`${WEB}accessories: {db: {image: x, host: h, ${written}}}\n`);
    expect(problems).toEqual([expect.stringMatching(message)]);
  });
});

test("labels of the top level may be those by which Kamal finds containers; labels of a role may not", async () => {
  const config = await load(`${WEB}labels: {service: other, team: a}\n`);
  expect(Object.fromEntries(role(config, "web").labels)).toEqual({ service: "other", team: "a" });
});

test("ERB: files, loops, a file of variables that is missing, and the destination", async () => {
  const cwd = project({
    name: "the_shop\n",
    "deploy.yml": `<% require "dotenv"; Dotenv.load("missing.env") %>
service: <%= ENV["KAMAL_DESTINATION"] %>-<%= File.read(File.join(__dir__, "name")).strip.tr("_", "-") %>
image: acme/shop
servers:
<% %w[192.0.2.1 192.0.2.2].each do |host| -%>
  - <%= host %>
<% end -%>
registry: {username: me, password: [P]}
builder: {arch: amd64}
`,
    "deploy.eu.yml": "labels: {d: <%= ENV['KAMAL_DESTINATION'] %>}\n",
  });
  const source = { file: "deploy.yml", destination: "eu", cwd };
  const processEnvironment = { PATH: process.env["PATH"]!, MRSK_RUBY: "off" };
  const { environment } = await openVariables({ ...source, processEnvironment, verbose: false });
  const config = await loadConfig({ ...source, environment });
  expect(config.service).toBe("eu-the-shop");
  expect(role(config, "web")).toMatchObject({ hosts: ["192.0.2.1", "192.0.2.2"], labels: new Map([["d", "eu"]]) });
});

test("YAML: anchors, merge keys, keys that begin with x-, and Ruby's symbols", async () => {
  const config = await load(`${WEB}
x-env: &env {A: 1}
env:
  clear: {<<: *env, B: 2}
hooks_output: {pre-build: :quiet}
ssh: {log_level: :debug, user: deploy, port: "2222", keys: [id_ed25519], key_data: [DEPLOY_KEY]}
`);
  expect(clear(config)).toEqual({ A: "1", B: "2" });
  expect(config.hooksOutput.byHook).toEqual(new Map([["pre-build", "quiet"]]));
  expect(config.ssh).toMatchObject({
    logLevel: "debug",
    user: "deploy",
    port: 2222,
    keys: ["id_ed25519"],
    keyData: ["DEPLOY_KEY"],
  });
});

test("minimum_version: versions of Kamal 2 up to 2.12.0, written as text or as a number", async () => {
  for (const written of ["2", "2.0", "2.12.0", '"2.11.0"', "2.12.0.beta1"]) {
    expect(await problemsOf(`${WEB}minimum_version: ${written}\n`)).toEqual([]);
  }
  for (const written of ["2.13", "3", "2.12.1"]) {
    expect(await problemsOf(`${WEB}minimum_version: ${written}\n`)).toEqual([
      `deploy.yml:11:1: minimum_version: Current version is 2.12.0, minimum required is ${written}`,
    ]);
  }
});

test("logging: a driver alone has no size limit, no section has one of 10m", async () => {
  expect((await load(WEB)).logging).toEqual({ driver: undefined, options: new Map(), maxSize: "10m" });
  expect((await load(`${WEB}logging: {driver: local}\n`)).logging).toEqual({ driver: "local", options: new Map() });
});

test("boot: a percentage, and no wait unless it is written", async () => {
  const four = WEB.replace("[192.0.2.1]", "[192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4]");
  expect((await load(`${four}boot: {limit: 50%}\n`)).boot).toMatchObject({ limit: 2, waitSeconds: 0 });
  expect((await load(`${four}boot: {limit: 1, wait: 7}\n`)).boot).toMatchObject({ limit: 1, waitSeconds: 7 });
});

test("a file of both generations has Kamal 2's defaults, and keys of mrsk", async () => {
  const config = await load(`${WEB}
release: bin/rails db:migrate
boot: {watch: 9, order: stop_first}
traefik: {args: {accesslog: true}}
healthcheck: {cmd: bin/alive}
`);
  expect(config).toMatchObject({
    era: "Kamal 2 (builder.arch)",
    network: "kamal",
    release: { command: "bin/rails db:migrate" },
    boot: { watchSeconds: 9 },
    traefik: { args: new Map([["accesslog", true]]) },
    notes: [],
  });
  expect(role(config, "web")).toMatchObject({ bootOrder: "stop_first", healthcheck: { cmd: "bin/alive", port: 80 } });
});

describe("as in Kamal 2, a file is refused", () => {
  const five = WEB.replace("[192.0.2.1]", "[192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5]");
  const withProxy = (proxy: string) => WEB.replace("[192.0.2.1]", `{hosts: [192.0.2.1], proxy: ${proxy}}`);
  const host = "Must set a host to enable automatic SSL: write host here as well";

  test.each([
    [
      "ssl in a role whose host stands at the top",
      `${withProxy("{ssl: true}")}proxy: {host: a.b}`,
      `servers/web/proxy/ssl: ${host}`,
    ],
    [
      "ssl at the top with hosts in a role alone",
      `${withProxy("{host: a.b}")}proxy: {ssl: true}`,
      `proxy/ssl: ${host}`,
    ],
    [
      "ssl for more than four servers",
      `${five}proxy: {ssl: {}, host: a.b}`,
      "proxy/ssl: an authority issues certificates for at most 4 servers of one name: write certificate_pem and private_key_pem",
    ],
    ["proxy: true at the top", `${WEB}proxy: true`, "proxy: should be a map, not true or false"],
    ["hosts as text", `${WEB}proxy: {hosts: "a.b,c.d"}`, "proxy/hosts: should be a list, not a string"],
    [
      "addresses to publish on without a publication",
      `${WEB}proxy: {run: {publish: false, bind_ips: [192.0.2.1]}}`,
      "proxy/run/bind_ips: publish: false publishes no port: remove one of the two",
    ],
    [
      "a role without a value",
      WEB.replace("web: [192.0.2.1]", "web: [192.0.2.1]\n  jobs:"),
      "servers/jobs: should be a list or a map, but is empty",
    ],
    [
      "two names for one password",
      WEB.replace("[KAMAL_REGISTRY_PASSWORD]", "[A, B]"),
      "registry/password: should be a list of one variable's name",
    ],
    [
      "an image that is missing",
      WEB.replace("image: acme/shop\n", ""),
      "image: Missing required configuration for image",
    ],
    [
      "servers without a value",
      `${WEB}accessories: {db: {image: x, host: h}}\n`.replace("\n  web: [192.0.2.1]", ""),
      "servers: Missing required configuration for servers",
    ],
    [
      "a service that could not name a router, which Kamal takes",
      WEB.replace("service: shop", "service: _shop"),
      "service: should have only letters, digits, - and _, and not start with - or _: it names containers",
    ],
  ])("with %s", async (_, yaml, message) => {
    expect((await problemsOf(yaml)).map((line) => line.replace(/^\S+: /, ""))).toEqual([message]);
  });
});
