import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { LocalEnvironment } from "../../src/config/env/environment.ts";
import { ConfigError } from "../../src/errors.ts";
import { inFolder, problemsOf, withRequired } from "./from-yaml.ts";

const SERVER = "should be HOST[:PORT][/PATH] as in ghcr.io, without https:// and without / at its end";

const withRegistry = (server: string, image = "acme/app") =>
  `service: app\nimage: ${image}\nservers: [10.0.0.1]\nregistry: {server: "${server}", username: u, password: p}\n`;

test.each([
  "https://ghcr.io",
  "ghcr.io/",
  "ghcr.io:99999",
  "ghcr.io:0",
  "ghcr.io:x/y",
  "user@ghcr.io",
  "ghcr.io/Acme",
  "ghcr.io//acme",
  "ghcr.io/acme:1",
  "-ghcr.io",
  "ghcr..io",
  "a b",
  "/ghcr.io",
])("%s is not accepted as the server of a registry", async (server) => {
  expect(await problemsOf(withRegistry(server))).toEqual([`deploy.yml:4:12: registry/server: ${SERVER}`]);
});

test.each([
  "ghcr.io",
  "ghcr.io/acme",
  "localhost:5000",
  "10.0.0.1:5000/a/b-c_d",
  "123456789.dkr.ecr.eu-central-1.amazonaws.com",
  "[::1]:5000",
  "my_registry:65535",
])("%s is accepted as the server of a registry", async (server) => {
  expect(await problemsOf(withRegistry(server))).toEqual([]);
});

const withImage = (image: string) => withRequired("").replace("acme/app", image);

test("an image with a registry is refused with the key for the registry", async () => {
  const message = (server: string, image: string) =>
    `deploy.yml:2:1: image: ${server} is a registry, and without registry/server the login goes to Docker Hub: write registry: {server: ${server}} and image: ${image}`;
  expect(await problemsOf(withImage("ghcr.io/acme/app"))).toEqual([message("ghcr.io", "acme/app")]);
  expect(await problemsOf(withImage("localhost/app"))).toEqual([message("localhost", "app")]);
  expect(await problemsOf(withImage("registry:5000/app"))).toEqual([message("registry:5000", "app")]);
  expect(await problemsOf(withImage("docker.io/acme/app"))).toEqual([]);
  expect(await problemsOf(withRegistry("ghcr.io", "ghcr.io/acme/app"))).toEqual([
    "deploy.yml:2:1: image: registry/server is put before it: write image: acme/app",
  ]);
});

test("${NAME} is refused if nothing replaces it, with what to write", async () => {
  expect(
    await problemsOf(`service: "\${SERVICE}"
image: "\${IMAGE:-acme/app}"
servers: {web: {hosts: ["\${HOST}"], cmd: "sh -c 'echo \${HOME}'", healthcheck: {cmd: "test \${A}", path: "/\${P}"}}}
registry:
  server: "\${SERVER}"
  username: \${USER}
  password:
    - \${PW}
env: {clear: {A: "\${HOSTNAME}"}, secret: ["\${KEY}"]}
labels: {a: "\${L}"}
volumes: ["\${HOME}/x:/y"]
builder: {args: {A: "\${ARG}"}, cache: {type: gha, options: "\${O}"}}
accessories: {db: {image: "\${DB}", host: "10.0.0.2", files: ["\${PWD}/a:/b"], options: {memory: "\${M}"}}}
ssh: {user: "\${U:?}", proxy_command: "nc \${H} 22"}
traefik: {args: {a: "\${T}"}}
release: "sh -c 'echo \${R}'"
aliases: {x: "app exec 'echo \${X}'"}
x-own: "\${OWN}"
`),
  ).toEqual([
    'deploy.yml:1:1: service: ${SERVICE} is not replaced here: write <%= ENV["SERVICE"] %>',
    'deploy.yml:2:1: image: ${IMAGE:-acme/app} is not replaced here: write <%= ENV["IMAGE"] %>',
    'deploy.yml:3:25: servers/web/hosts/0: ${HOST} is not replaced here: write <%= ENV["HOST"] %>',
    'deploy.yml:3:98: servers/web/healthcheck/path: ${P} is not replaced here: write <%= ENV["P"] %>',
    'deploy.yml:5:3: registry/server: ${SERVER} is not replaced here: write <%= ENV["SERVER"] %>',
    "deploy.yml:6:3: registry/username: ${USER} is not replaced here: write [USER], the name of the variable",
    "deploy.yml:8:7: registry/password/0: ${PW} is not replaced here: write PW, the name of the variable",
    "deploy.yml:9:43: env/secret/0: ${KEY} is not replaced here: write KEY, the name of the variable",
    'deploy.yml:12:18: builder/args/A: ${ARG} is not replaced here: write <%= ENV["ARG"] %>',
    'deploy.yml:12:51: builder/cache/options: ${O} is not replaced here: write <%= ENV["O"] %>',
    'deploy.yml:13:20: accessories/db/image: ${DB} is not replaced here: write <%= ENV["DB"] %>',
    'deploy.yml:13:62: accessories/db/files/0: ${PWD} is not replaced here: write <%= ENV["PWD"] %>',
    'deploy.yml:14:7: ssh/user: ${U:?} is not replaced here: write <%= ENV["U"] %>',
  ]);
});

test("a password that contains ${NAME} is not changed", async () => {
  const yaml = withRequired("builder: {args: {A: 'x${B}'}}\n").replace("password: p", "password: 'ab${cd}ef'");
  expect(await problemsOf(yaml)).toEqual([]);
});

test("${NAME} between brackets and without quotes is reported as such, once", async () => {
  expect(await problemsOf(withRequired("env: {A: ${B}, C: d}\nvolumes: [${HOME}/x:/y]\n"))).toEqual([
    'deploy.yml:5:11: ${B} is not YAML between brackets: write <%= ENV["B"] %>, or put quotes around it if the host replaces it',
  ]);
});

test("a ${NAME} that the host replaces is reported in a note if .env has the name", async () => {
  await inFolder({ ".env": "DB=x\n", "deploy.yml": withRequired("env: {A: '${DB}', B: '${HOME}'}\n") }, async (cwd) => {
    const environment = new LocalEnvironment(cwd, process.env);
    environment.load(".env");
    const config = await loadConfig({ file: "deploy.yml", destination: undefined, cwd, environment });
    expect(config.notes).toEqual([
      'deploy.yml:5:7: env/A: ${DB} is the host\'s variable: for the value in .env, write <%= ENV["DB"] %>',
    ]);
  });
});

test("quotes are not suggested for a value that is wrong in quotes too", async () => {
  const lines =
    "asset_path: false\nnetwork: true\nrun_directory: [a]\nminimum_version: true\nhealthcheck: {interval: true}\n";
  expect(await problemsOf(withRequired(lines))).toEqual([
    "deploy.yml:5:1: asset_path: should be an absolute path in the container, not false: omit the key for none",
    "deploy.yml:6:1: network: should be a string, not true: put quotes around it",
    "deploy.yml:7:1: run_directory: should be a string, not a list",
    "deploy.yml:8:1: minimum_version: should be a version such as 1.9.0, not true",
    "deploy.yml:9:15: healthcheck/interval: should be a duration such as 1s, 500ms or 1m30s, not true",
  ]);
});

test("a misspelt key is reported at every level, and the key that is missing because of it is not", async () => {
  expect(
    await problemsOf(`service: app
image: acme/app
servers:
  web: {hosts: [a], helthcheck: {path: /}, healthcheck: {pth: /}, env: {claer: {A: 1}, secret: [B]}}
  jobs: {host: [a]}
registry: {usrname: u, pasword: p}
accessories:
  a: {image: x, hots: [a]}
  b: {image: x, role: web}
  c: {imge: x, roels: [web], fils: [], env: {clear: {}, secrets: [B]}}
  d: {image: x, host: a, files: [{local: x, remot: /y}]}
builder: {remote: {arhc: amd64}, cache: {tpye: gha}}
traefik: {optoins: {}}
ssh: {prxoy: a}
`),
  ).toEqual([
    "deploy.yml:4:21: servers/web/helthcheck: unknown key: helthcheck (did you mean healthcheck?)",
    "deploy.yml:4:58: servers/web/healthcheck/pth: unknown key: pth (did you mean path?)",
    "deploy.yml:4:73: servers/web/env/claer: unknown key: claer (did you mean clear?)",
    "deploy.yml:5:10: servers/jobs/host: unknown key: host (did you mean hosts?)",
    "deploy.yml:6:12: registry/usrname: unknown key: usrname (did you mean username?)",
    "deploy.yml:6:24: registry/pasword: unknown key: pasword (did you mean password?)",
    "deploy.yml:8:17: accessories/a/hots: unknown key: hots (did you mean host?)",
    "deploy.yml:9:17: accessories/b/role: unknown key: role (write roles: [NAME])",
    "deploy.yml:10:7: accessories/c/imge: unknown key: imge (did you mean image?)",
    "deploy.yml:10:16: accessories/c/roels: unknown key: roels (did you mean roles?)",
    "deploy.yml:10:30: accessories/c/fils: unknown key: fils (did you mean files?)",
    "deploy.yml:10:57: accessories/c/env/secrets: unknown key: secrets (did you mean secret?)",
    "deploy.yml:11:45: accessories/d/files/0/remot: unknown key: remot (did you mean remote?)",
    "deploy.yml:12:20: builder/remote/arhc: unknown key: arhc (did you mean arch?)",
    "deploy.yml:12:42: builder/cache/tpye: unknown key: tpye (did you mean type?)",
    "deploy.yml:13:11: traefik/optoins: unknown key: optoins (did you mean options?)",
    "deploy.yml:14:7: ssh/prxoy: unknown key: prxoy (did you mean proxy?)",
  ]);
});

test("a missing key is reported with the destinations that may have it", async () => {
  const files = {
    "deploy.yml": "service: app\nimage: acme/app\nregistry: {username: u, password: p}\n",
    "deploy.production.yml": "servers: [10.0.0.1]\n",
    "deploy.staging.yml": "servers: [10.0.0.2]\n",
    "deploy.yml.orig": "",
  };
  expect(await problemsOf(files)).toEqual([
    "deploy.yml:1:1: servers: Missing required configuration for servers: if a destination has it, run with -d production or -d staging",
  ]);
  expect(await problemsOf(files, { destination: "production" })).toEqual([]);
  expect(await problemsOf({ ...files, "deploy.none.yml": "{}" }, { destination: "none" })).toEqual([
    "deploy.none.yml:1:1: servers: Missing required configuration for servers",
  ]);
});

test.each(["../../x", "a/b", "..", ".", "", "-x", "a\\b", "a b", "${A}"])(
  "%j is refused as a destination by every reader",
  async (destination) => {
    await inFolder({ "deploy.yml": withRequired("") }, async (cwd) => {
      writeFileSync(join(cwd, "x.yml"), "");
      const loading = loadConfig({ file: "deploy.yml", destination, cwd, environment: new Map() });
      await expect(loading).rejects.toMatchObject({ exitCode: 2 });
      await expect(loading).rejects.not.toBeInstanceOf(ConfigError);
    });
  },
);

test("an open quote is reported with its position", async () => {
  expect(
    await problemsOf(`service: app
image: acme/app
servers: {web: {hosts: [a], cmd: "sh -c 'x"}, jobs: {hosts: [b], cmd: "it\\\\'s"}}
registry: {username: u, password: p}
accessories: {db: {image: x, host: a, cmd: 'a "b'}}
release: {command: "sh -c '"}
aliases: {console: 'app exec "x', fine: "app exec 'x y'"}
`),
  ).toEqual([
    "deploy.yml:3:29: servers/web/cmd: a quote is left open: close it, or write \\ in front",
    "deploy.yml:5:39: accessories/db/cmd: a quote is left open: close it, or write \\ in front",
    "deploy.yml:6:11: release/command: a quote is left open: close it, or write \\ in front",
    "deploy.yml:7:11: aliases/console: a quote is left open: close it, or write \\ in front",
  ]);
});

test("a port that is out of range is reported with its position", async () => {
  const yaml = withRequired(`accessories:
  a: {image: x, hosts: ["h:0", "[::1]:65536", "h:65535", "::1"], port: 99999}
  b: {image: x, host: h, port: "127.0.0.1:5432:70000/tcp"}
  c: {image: x, host: h, port: "127.0.0.1::5432"}
  d: {image: x, host: h, port: "8000-8010:9000-9010/udp"}
  e: {image: x, host: h, port: "a:b"}
  f: {image: x, host: "h:70000"}
`).replace("[10.0.0.1]", '["root@10.0.0.1:99999", "h:22"]');
  const PUBLISHED =
    "should be a port, or host:container ports, each from 1 to 65535; for several, write options: {publish: [PORTS, PORTS]}";
  expect(await problemsOf(yaml)).toEqual([
    "deploy.yml:3:11: servers/0: root@10.0.0.1:99999: the port should be 1 to 65535",
    "deploy.yml:6:25: accessories/a/hosts/0: h:0: the port should be 1 to 65535",
    "deploy.yml:6:32: accessories/a/hosts/1: [::1]:65536: the port should be 1 to 65535",
    `deploy.yml:6:66: accessories/a/port: ${PUBLISHED}`,
    `deploy.yml:7:26: accessories/b/port: ${PUBLISHED}`,
    `deploy.yml:10:26: accessories/e/port: ${PUBLISHED}`,
    "deploy.yml:11:17: accessories/f/host: h:70000: the port should be 1 to 65535",
  ]);
});

test("a duration above the limit of a wait is refused", async () => {
  expect(await problemsOf(withRequired("healthcheck: {interval: 999999999h}"))).toEqual([
    "deploy.yml:5:15: healthcheck/interval: should be at most 1000000 seconds",
  ]);
  expect(await problemsOf(withRequired("healthcheck: {interval: 1m30.5s}"))).toEqual([]);
});
