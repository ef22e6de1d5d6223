import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { configOf, problemsOf, withRequired } from "./from-yaml.ts";

test("all mistakes are reported in one error, each with its position", async () => {
  const problems = await problemsOf(`servce: x
service: Foo bar
image: acme/x:1
registry: {username: u, passwort: p}
servers:
  web: {hosts: [1.1.1.1, 1.1.1.1], traefik: "false", env: {clear: {A: [1]}, secrets: [X]}}
  jobs: [a b]
env:
  clear: {A: yes}
  secret: [A]
boot: {limit: 200%, order: fist}
accessories:
  db: {image: x, roles: [nope], files: [a:b]}
traefik: {host_port: 99999}
cmd: x
healthcheck: [a]
builder: {cache: {type: s3}}
release: {command: x, role: nope}
`);
  expect(problems).toEqual([
    "deploy.yml:1:1: servce: unknown key: servce (did you mean service?)",
    "deploy.yml:2:1: service: should have only letters, digits, - and _, and not start with - or _: it names containers",
    "deploy.yml:3:1: image: should be a repository in lower case, without a tag",
    "deploy.yml:4:25: registry/passwort: unknown key: passwort (did you mean password?)",
    "deploy.yml:6:26: servers/web/hosts/1: 1.1.1.1 is listed twice",
    "deploy.yml:6:36: servers/web/traefik: should be true or false, without quotes",
    "deploy.yml:6:68: servers/web/env/clear/A: should be a string, not a list",
    "deploy.yml:6:77: servers/web/env/secrets: unknown key: secrets (did you mean secret?)",
    "deploy.yml:7:10: servers/jobs/0: should be a host: name or address, optionally with user@ before it and :port after it",
    "deploy.yml:10:12: env/secret/0: A is in clear as well: keep one of the two",
    "deploy.yml:11:8: boot/limit: should be a number of hosts, or a percentage such as 25%",
    "deploy.yml:11:21: boot/order: should be start_first or stop_first",
    "deploy.yml:13:26: accessories/db/roles/0: unknown role: nope (roles: web, jobs)",
    "deploy.yml:13:41: accessories/db/files/0: should be local:/path/in/container, or local:/path/in/container:mode",
    "deploy.yml:14:11: traefik/host_port: should be a port, 1 to 65535",
    "deploy.yml:15:1: cmd: unknown key: cmd (the documentation lists the keys allowed here)",
    "deploy.yml:16:1: healthcheck: should be a map, not a list",
    "deploy.yml:17:19: builder/cache/type: should be gha or registry",
    "deploy.yml:18:23: release/role: unknown role: nope (roles: web, jobs)",
  ]);
});

test("a mistake in a destination's file has its position there", async () => {
  const problems = await problemsOf(
    { "deploy.yml": withRequired("boot: {wait: 1}\n"), "deploy.staging.yml": "boot:\n  limit: many\nlables: {}\n" },
    { destination: "staging" },
  );
  expect(problems).toEqual([
    "deploy.staging.yml:2:3: boot/limit: should be a number of hosts, or a percentage such as 25%",
    "deploy.staging.yml:3:1: lables: unknown key: lables (did you mean labels?)",
  ]);
});

test("a destination merges maps, and replaces lists, scalars and values that it leaves empty", async () => {
  const config = await configOf(
    {
      "deploy.yml": withRequired("volumes: [/a:/a, /b:/b]\nlabels: {a: 1, b: 2}\nboot: {limit: 2, wait: 3}\n"),
      "deploy.staging.yml": "volumes: [/c:/c]\nlabels: {b: 3}\nboot:\nservers: [10.0.0.9]\n",
    },
    { destination: "staging" },
  );
  expect(config.volumes).toEqual(["/c:/c"]);
  expect(config.roles[0]!.labels).toEqual(
    new Map([
      ["a", "1"],
      ["b", "3"],
    ]),
  );
  expect(config.boot.limit).toBeUndefined();
  expect(config).toMatchObject({ primaryHost: "10.0.0.9", destination: "staging" });
});

test("output in a comment is not evaluated, so it needs neither ruby nor its variables", async () => {
  const config = await configOf(
    withRequired(`# ruby: <%= "#{RUBY_ENGINE}-#{RUBY_ENGINE_VERSION}" %>
labels:
  # host: <%= ENV.fetch("HOST") %>
  a: "<%= 1 + 1 %>" # <%= 2 %>
  b: |
    # <%= 3 %>
`),
  );
  expect(config.roles[0]!.labels).toEqual(
    new Map([
      ["a", "2"],
      ["b", "# 3\n"],
    ]),
  );
  expect(config.notes).toEqual([]);
});

test.each([
  ["# <% RUBY_ENGINE %>", "`RUBY_ENGINE` is not in the supported part of Ruby"],
  ["x-a: 1 # <%= RUBY_ENGINE %>", "`RUBY_ENGINE` is not in the supported part of Ruby"],
])("code in a comment, and output behind a value, are evaluated: %s", async (line, message) => {
  expect(await problemsOf(withRequired(`${line}\n`))).toEqual([expect.stringContaining(message) as string]);
});

test("a missing file is reported with what to do", async () => {
  const missing = { file: "config/deploy.yml", destination: undefined, cwd: "/nowhere", environment: new Map() };
  await expect(loadConfig(missing)).rejects.toMatchObject({
    message: "Configuration file not found in /nowhere/config/deploy.yml",
    hint: "Run `mrsk init` to create one.",
    exitCode: 3,
  });
});

test("a missing file of a destination is reported without the advice to run init", async () => {
  await expect(configOf(withRequired(""), { destination: "prod" })).rejects.toMatchObject({
    message: expect.stringMatching(/^Configuration file not found in \/.*\/deploy\.prod\.yml$/) as string,
    hint: "The destination prod has its settings in that file: create it, or omit -d.",
  });
});

test("require_destination refuses a run without a destination", async () => {
  expect(await problemsOf("require_destination: true\n")).toEqual([
    "deploy.yml:1:1: require_destination: You must specify a destination (-d NAME)",
  ]);
});

test("a destination that cannot be part of a file name is refused", async () => {
  await expect(configOf(withRequired(""), { destination: "../x" })).rejects.toMatchObject({ name: "UsageError" });
});

test("YAML mistakes of both files are reported in one error, without mistakes that follow from them", async () => {
  const problems = await problemsOf(
    { "deploy.yml": "service: x\n bad: y\nimage: 'a\n", "deploy.b.yml": "labels: [a\n" },
    { destination: "b" },
  );
  expect(problems).toEqual([
    "deploy.yml:1:10: there is a `key: value` inside a value: check the indentation, or put quotes around the value",
    "deploy.yml:4:1: Missing closing 'quote",
    "deploy.b.yml:2:1: Flow sequence in block collection must be sufficiently indented and end with a ]",
  ]);
});

test("a key written twice is a mistake, although Ruby takes the last", async () => {
  expect(await problemsOf(withRequired("labels:\n  a: 1\n  b: 2\n  a: 3\n"))).toEqual([
    "deploy.yml:8:3: duplicate key: a (first written at deploy.yml:6:3)",
  ]);
});

test("top-level keys that start with x- can hold anchors", async () => {
  const config = await configOf(
    withRequired("x-env: &shared {A: 1, B: 2}\nenv:\n  <<: *shared\n  B: 3\naccessories: {}\n"),
  );
  expect(config.env.clear).toEqual(
    new Map([
      ["A", "1"],
      ["B", "3"],
    ]),
  );
});

test("keys of older versions are reported with their replacement", async () => {
  expect(await problemsOf(withRequired("audit_broadcast_cmd: x\nssh_user: y\n"))).toEqual([
    "deploy.yml:5:1: audit_broadcast_cmd: unknown key: audit_broadcast_cmd (write a post-deploy hook instead)",
    "deploy.yml:6:1: ssh_user: unknown key: ssh_user (write ssh: {user: NAME})",
  ]);
});

test("a template's failures are reported with the other mistakes, at their line in the file", async () => {
  const problems = await problemsOf(`# <%# a comment
that goes on %>
service: <%= ENV.fetch("SERVICE") %>
image: <%= "acme/#{ENV["IMAGE"] || "app"}" %>
<% if ENV["BIG"] %>
servers: [10.0.0.1, 10.0.0.2]
<% else %>
servers: [10.0.0.1]
<% end %>
registry: {username: u, password: p}
bot: {limit: 1}
`);
  expect(problems).toEqual([
    "deploy.yml:3:14: SERVICE is not set (required by ENV.fetch)",
    "deploy.yml:11:1: bot: unknown key: bot (did you mean boot?)",
  ]);
});

test("the two architectures of a builder must differ", async () => {
  const builder = "builder: {local: {arch: amd64}, remote: {arch: amd64, host: 'ssh://a@b'}}\n";
  expect(await problemsOf(withRequired(builder))).toEqual([
    expect.stringContaining("builder/remote/arch: should differ from builder.local.arch: both are amd64"),
  ]);
});

test.each(["me@corp@web1", "CORP\\me@web1", "me@corp@[2001:db8::1]:22", "_web1", "me+ops@10.0.0.1:2222"])(
  "%s is a host: the last @ ends the user name",
  async (host) => {
    const config = await configOf(`service: app
image: acme/app
registry: {username: u, password: p}
servers: ["${host.replaceAll("\\", "\\\\")}"]
`);
    expect(config.primaryHost).toBe(host);
  },
);

test.each(["-oProxyCommand=x", "a`id`@web1", "a;b@web1", "-l@web1", "a b@web1", "a|b@web1", "web1;x", "a'@web1"])(
  "%s is refused as a host, as by ssh",
  async (host) => {
    expect(
      await problemsOf(`service: app
image: acme/app
registry: {username: u, password: p}
servers: ["${host}"]
`),
    ).toEqual([
      "deploy.yml:4:11: servers/0: should be a host: name or address, optionally with user@ before it and :port after it",
    ]);
  },
);
