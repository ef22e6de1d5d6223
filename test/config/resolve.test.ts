import fc from "fast-check";
import { expect, test } from "vitest";
import type { Config, Role } from "../../src/config/config.ts";
import { durationSeconds, mergeEnvironments } from "../../src/config/resolve-parts.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { configOf, problemsOf, withRequired } from "./from-yaml.ts";

const HEAD = "service: app\nimage: acme/app\nregistry: {username: u, password: p}\n";

function role(config: Config, name: string): Role {
  return config.roles.find((candidate) => candidate.name === name)!;
}

test("a missing key has its default", async () => {
  const config = await configOf(withRequired(""));
  expect(config).toMatchObject({
    file: "deploy.yml",
    destination: undefined,
    service: "app",
    repository: "acme/app",
    primaryRole: "web",
    primaryHost: "10.0.0.1",
    volumes: [],
    accessories: [],
    logging: { driver: undefined, options: new Map(), maxSize: "10m" },
    traefik: { image: "traefik:v3.7.15", hostPort: 80 },
    builder: { kind: "multiarch", dockerfile: "Dockerfile", context: ".", contextGiven: false },
    boot: { limit: undefined, waitSeconds: 0, watchSeconds: 5 },
    ssh: { user: "root", port: undefined, config: true, maxConcurrentStarts: 30, poolIdleTimeoutSeconds: 900 },
    hooksPath: ".mrsk/hooks",
    readinessDelaySeconds: 7,
    stopWaitSeconds: undefined,
    drainTimeoutSeconds: 30,
    retainContainers: 5,
    runDirectory: ".mrsk",
    release: undefined,
    requireDestination: false,
  });
  expect(role(config, "web")).toMatchObject({
    traefik: true,
    bootOrder: "start_first",
    logging: undefined,
    healthcheck: { cmd: undefined, path: "/up", port: 3000, interval: "1s", intervalSeconds: 1, maxAttempts: 7 },
  });
});

test.each([
  ["none", "", "{A: 1}", { A: "1" }, []],
  ["flat and flat", "{A: 0, B: 0}", "{A: 1}", { A: "1", B: "0" }, []],
  ["split and flat", "{clear: {A: 0}, secret: [S]}", "{B: 1}", { A: "0", B: "1" }, ["S"]],
  ["clear and clear", "{clear: {A: 0, B: 0}}", "{clear: {B: 1}}", { A: "0", B: "1" }, []],
  ["flat and secret", "{A: 0}", "{secret: [S]}", { A: "0" }, ["S"]],
  ["secrets twice", "{secret: [S, T]}", "{secret: [U, S]}", {}, ["S", "T", "U"]],
  ["a secret over a clear value", "{A: 0, B: 0}", "{secret: [A]}", { B: "0" }, ["A"]],
  ["a clear value over a secret", "{secret: [S, T]}", "{S: 1}", { S: "1" }, ["T"]],
])("global and role env are merged by name: %s", async (_, global, own, clear, secret) => {
  const config = await configOf(
    `${HEAD}${global ? `env: ${global}\n` : ""}servers: {web: {hosts: [10.0.0.1], env: ${own}}}\n`,
  );
  const { env } = role(config, "web");
  expect(Object.fromEntries(env.clear)).toEqual(clear);
  expect(env.secret).toEqual(secret);
});

test("merging environments: the last one with a name wins, and no name is in both clear and secret", () => {
  const names = fc.constantFrom("A", "B", "C", "D");
  const environment = fc
    .record({ clear: fc.dictionary(names, fc.string()), secret: fc.uniqueArray(names) })
    .map(({ clear, secret }) => ({
      clear: new Map(Object.entries(clear).filter(([name]) => !secret.includes(name as "A"))),
      secret: secret as string[],
    }));
  fc.assert(
    fc.property(fc.array(environment), (all) => {
      const merged = mergeEnvironments(...all);
      for (const name of ["A", "B", "C", "D"]) {
        const last = all.findLast((env) => env.clear.has(name) || env.secret.includes(name));
        expect(merged.clear.get(name)).toBe(last?.clear.get(name));
        expect(merged.secret.filter((secret) => secret === name)).toHaveLength(last?.secret.includes(name) ? 1 : 0);
      }
    }),
  );
});

test("a role without Traefik is checked only if it defines a check; a port is enough", async () => {
  const config = await configOf(`${HEAD}healthcheck: {path: /global, max_attempts: 9}
servers:
  web: {hosts: [10.0.0.1], healthcheck: {port: 4000, max_attempts: 3}}
  jobs: {hosts: [10.0.0.2]}
  feed: {hosts: [10.0.0.3], healthcheck: {port: 5000}}
  mail: {hosts: [10.0.0.4], healthcheck: {cmd: check-mail, interval: 1m30s}}
`);
  expect(role(config, "web").healthcheck).toMatchObject({ path: "/global", port: 4000, maxAttempts: 3 });
  expect(role(config, "jobs").healthcheck).toBeUndefined();
  expect(role(config, "feed").healthcheck).toMatchObject({ path: "/up", port: 5000, maxAttempts: 9 });
  expect(role(config, "mail").healthcheck).toMatchObject({ cmd: "check-mail", intervalSeconds: 90 });
  expect(config.roles.map(({ name }) => name)).toEqual(["feed", "jobs", "mail", "web"]);
});

test("the primary role can be without Traefik, and another role can be primary", async () => {
  const config = await configOf(
    `${HEAD}primary_role: jobs\nservers: {jobs: {hosts: [10.0.0.1], traefik: no}, web: [10.0.0.2]}\n`,
  );
  expect(config.primaryHost).toBe("10.0.0.1");
  expect(config.roles.map(({ name, traefik }) => [name, traefik])).toEqual([
    ["jobs", false],
    ["web", false],
  ]);
});

test("boot.order is global or set for a role", async () => {
  const config = await configOf(
    `${HEAD}boot: {order: stop_first}\nservers: {web: [10.0.0.1], jobs: {hosts: 10.0.0.2, boot: {order: start_first}}}\n`,
  );
  expect(config.roles.map(({ bootOrder }) => bootOrder)).toEqual(["start_first", "stop_first"]);
});

test("docker options: true is a flag, lists repeat the option, any other value is text", async () => {
  const config = await configOf(
    `${HEAD}servers: {web: {hosts: [10.0.0.1], options: {init: true, cpus: 0.5, a: false, b: , n: [], l: [1, x]}}}\n`,
  );
  expect(role(config, "web").options).toEqual(
    new Map<string, unknown>([
      ["init", true],
      ["cpus", "0.5"],
      ["a", "false"],
      ["b", ""],
      ["l", ["1", "x"]],
    ]),
  );
});

test.each([
  ["", "multiarch"],
  ["{multiarch: no}", "native"],
  ["{multiarch: no, cache: {type: gha}}", "native/cached"],
  ["{remote: {arch: amd64}}", "native/remote"],
  ["{local: {arch: amd64}}", "multiarch"],
  ["{local: {arch: arm64}, remote: {arch: amd64, host: ssh://x}}", "multiarch/remote"],
])("builder %s is %s", async (written, kind) => {
  expect((await configOf(withRequired(`builder: ${written}\n`))).builder.kind).toBe(kind);
});

test.each([
  ["1", 1],
  ['"3"', 3],
  ["50%", 2],
  ["10%", 1],
  ["100%", 4],
])("boot limit %s of four hosts is %s", async (limit, hosts) => {
  const config = await configOf(
    `${HEAD}servers: {web: [10.0.0.1, 10.0.0.2], jobs: [10.0.0.2, 10.0.0.3, 10.0.0.4]}\nboot: {limit: ${limit}}\n`,
  );
  expect(config.boot).toEqual({ limit: hosts, waitSeconds: 2, watchSeconds: 5 });
});

test.each(["0", "-1", "1.5", "0%", "101%", "x", "[1]"])("boot limit %s is refused", async (limit) => {
  expect(await problemsOf(withRequired(`boot: {limit: ${limit}}\n`))).toEqual([
    expect.stringMatching(/^deploy\.yml:5:8: boot\/limit: should be /) as string,
  ]);
});

test("a credential is a value or the name of a variable", async () => {
  const config = await configOf(
    "service: app\nimage: acme/app\nservers: [10.0.0.1]\nregistry: {server: ghcr.io, username: 12, password: [P]}\n",
  );
  expect(config.repository).toBe("ghcr.io/acme/app");
  expect(config.registry.password).toEqual({ variable: "P" });
  const { username } = config.registry;
  expect("value" in username && username.value).toBeInstanceOf(Secret);
  expect("value" in username && username.value.reveal()).toBe("12");
  expect(JSON.stringify(username)).toBe('{"value":"[REDACTED]"}');
});

test("accessories: placement, ports, files, directories", async () => {
  const config = await configOf(
    withRequired(`accessories:
  db:
    image: mysql:8
    roles: [web]
    port: 3306
    files: [my.cnf:/etc/my.cnf, "a:/b:0600", {local: c, remote: /d, mode: 0640}]
    directories: [data:/var/lib/mysql, /srv/x:/x:ro]
  dns: {image: x, hosts: [10.0.0.8, 10.0.0.9], port: 53/udp, service: names}
`),
  );
  expect(config.accessories).toMatchObject([
    {
      name: "db",
      service: "app-db",
      hosts: ["10.0.0.1"],
      publish: "3306:3306",
      files: [
        { local: "my.cnf", remote: "/etc/my.cnf", mode: "755" },
        { local: "a", remote: "/b", mode: "0600" },
        { local: "c", remote: "/d", mode: "0640" },
      ],
      directories: [
        { source: "data", target: "/var/lib/mysql", mountOptions: undefined },
        { source: "/srv/x", target: "/x", mountOptions: "ro" },
      ],
    },
    { name: "dns", service: "names", hosts: ["10.0.0.8", "10.0.0.9"], publish: "53:53/udp" },
  ]);
});

test("two accessories cannot have the same service, nor that of the proxy", async () => {
  expect(
    await problemsOf(
      withRequired(`accessories:
  a: {image: x, host: 10.0.0.2, service: db}
  b: {image: x, host: 10.0.0.2, service: db}
  c: {image: x, host: 10.0.0.2, service: traefik}
`),
    ),
  ).toEqual([
    "deploy.yml:7:33: accessories/b/service: db is also the name of the accessory a",
    "deploy.yml:8:33: accessories/c/service: traefik is also the name of the proxy",
  ]);
});

test.each([
  ["release: bin/migrate", { command: "bin/migrate", timeoutSeconds: 600, role: "web" }],
  ["release: {command: x, timeout: 5}", { command: "x", timeoutSeconds: 5, role: "web" }],
])("%s", async (written, release) => {
  expect((await configOf(withRequired(`${written}\n`))).release).toEqual(release);
});

test.each([
  ["10.0.0.1", true],
  ["web-1.example.com", true],
  ["app@10.0.0.1", true],
  ["app@10.0.0.1:2222", true],
  ["web:22", true],
  ['"[2001:db8::1]:22"', true],
  ['"2001:db8::1"', true],
  ["-oProxyCommand=x", false],
  ['"a b"', false],
  ['"a;b"', false],
  ['""', false],
])("host %s: %s", async (host, fine) => {
  expect((await problemsOf(`${HEAD}servers: [10.9.9.9, ${host}]\n`)).length === 0).toBe(fine);
});

test.each([
  ["1s", 1],
  ["500ms", 0.5],
  ["1m30s", 90],
  ["2h", 7200],
])("%s is %s seconds", (duration, seconds) => {
  expect(durationSeconds(duration)).toBeCloseTo(seconds);
});
