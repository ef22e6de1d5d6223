import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fake, folder, run as runCommands } from "../support/fake-commands.ts";
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { removeImages } from "../../src/commands/app.ts";

import { redactedConfig } from "../../src/config/print.ts";
import { Secrets } from "../../src/config/env/secrets.ts";
import { bootAccessory } from "../../src/flow/accessory.ts";
import { appVersion } from "../../src/flow/version.ts";
import { decide } from "../../src/plan/deploy.ts";
import { config, role } from "../support/config.ts";
import { configOf, inFolder, problemsOf, withRequired } from "../config/from-yaml.ts";
import type { FakeHost } from "../support/fake-host.ts";
import { aHost, stopped } from "../support/world.ts";
import { fakeRun } from "../support/fake-run.ts";
import { transcriptOf, type Written } from "../support/transcript.ts";

/** Bugs of MRSK 0.13.2 in the configuration and the environment, which are not copied. */

/** The arguments that docker gets from a shell. */
async function runWords(written: Written): Promise<string[]> {
  const transcript = await transcriptOf(written);
  const line = /> Start app-web-2 \(web\): (docker run [^]*? acme\/app:2)/.exec(transcript)![1]!;
  const shell = `docker() { printf '%s\\0' "$@"; }\n${line}`;
  return execFileSync("/bin/sh", ["-c", shell]).toString().split("\0").slice(0, -1);
}

const variables = (words: readonly string[]) => words.filter((_, i) => words[i - 1] === "-e");

test("newlines, tabs, letters beyond ASCII and #{ arrive as written, ${NAME} as the host's variable", async () => {
  const value = "é ✓ 😀\n\ttab #{x} $y $(z) `q` \"d\" 's' \\n !";
  const words = await runWords({ env: { A: value, B: "home ${HOME}!" } });
  expect(variables(words)).toContain(`A=${value}`);
  expect(variables(words)).toContain(`B=home ${process.env["HOME"]}!`);
});

test("an empty value is sent as empty, not as the host's variable of that name", async () => {
  const given = variables(await runWords({ env: { EMPTY: "", NOTHING: null, OFF_: false } }));
  expect(given).toEqual(expect.arrayContaining(["EMPTY=", "NOTHING=", "OFF_=false"]));
  expect(given).not.toContain("EMPTY");
});

const SPLIT = { clear: { A: "global", G: "g" }, secret: ["S"] };
test.each([
  ["none", undefined, { A: "role" }, { A: "role" }, []],
  ["flat", { A: "global", G: "g" }, { A: "role" }, { A: "role", G: "g" }, []],
  ["split, role flat", SPLIT, { A: "role" }, { A: "role", G: "g" }, ["S"]],
  ["split, role split", SPLIT, { clear: { A: "role" }, secret: ["R"] }, { A: "role", G: "g" }, ["S", "R"]],
  ["clear only, role clear only", { clear: SPLIT.clear }, { clear: { A: "role" } }, { A: "role", G: "g" }, []],
  ["clear only, role flat", { clear: SPLIT.clear }, { A: "role" }, { A: "role", G: "g" }, []],
  ["clear only, role secret only", { clear: SPLIT.clear }, { secret: ["R"] }, { A: "global", G: "g" }, ["R"]],
  ["flat, role with secret", SPLIT.clear, { clear: { A: "role" }, secret: ["R"] }, { A: "role", G: "g" }, ["R"]],
  ["clear in one, secret in the other", { A: "global" }, { secret: ["A"] }, {}, ["A"]],
])("role and global env are merged by key (global: %s)", async (_, global, own, clear, secret) => {
  const written = { service: "a", image: "b/c", registry: { username: "u", password: "p" } };
  const servers = { web: { hosts: ["h"], env: own } };
  const { roles } = await configOf(JSON.stringify({ ...written, servers, ...(global ? { env: global } : {}) }));
  expect({ clear: Object.fromEntries(roles[0]!.env.clear), secret: roles[0]!.env.secret }).toEqual({ clear, secret });
});

test("the env of a host's tags wins over the role's and the global env", async () => {
  const { roles } = await configOf(`service: a
image: b/c
registry: {username: u, password: p}
servers: {web: {hosts: [{h: [eu, late]}, i], env: {A: role, R: r}}}
env: {clear: {A: global, G: g, T: t}, tags: {eu: {A: eu, E: e}, late: {clear: {A: late}, secret: [T]}}}
`);
  const env = roles[0]!.hostEnv!.get("h")!;
  expect(Object.fromEntries(env.clear)).toEqual({ A: "late", G: "g", R: "r", E: "e" });
  expect(env.secret).toEqual(["T"]);
  expect(roles[0]!.hostEnv!.has("i")).toBe(false);
});

test("a stopped container of the version is replaced by one with the current env and options", async () => {
  const transcript = await transcriptOf({ env: { A: "new" } }, { old: true, version: "b" });
  expect(transcript).toMatch(
    /Remove app-web-b \(web\): docker rm 10\.0\.0\.1-id-b [^]*docker run .*--name app-web-b .*-e A=new /,
  );
  expect(transcript).not.toMatch(/docker start app-web-b/);
});

test("an empty VERSION is ignored", async () => {
  const git = async () => ({ revision: "abc", changes: [], userName: "" });
  const newId = (digits: number) => "0".repeat(digits);
  expect(await appVersion({ named: "", git, newId, cwd: "/", ofFolder: true })).toBe("abc");
});

test("a missing web role, a null role, an empty file and an unknown role of an accessory are reported with their positions", async () => {
  const rest = "service: a\nimage: b/c\nregistry: {username: u, password: p}\n";
  expect(await problemsOf(`${rest}servers: {jobs: [h]}\n`)).toEqual([
    "deploy.yml:4:1: servers: The primary_role web isn't defined (roles: jobs)",
  ]);
  expect(await problemsOf(`${rest}servers:\n  web:\n`)).toEqual([
    "deploy.yml:5:3: servers/web: should be a list or a map, but is empty",
  ]);
  expect(await problemsOf("")).toEqual(["deploy.yml:1:1: is empty: service, image, servers and registry are required"]);
  expect(await problemsOf(withRequired("accessories: {db: {image: x, roles: [nope]}}\n"))).toEqual([
    "deploy.yml:5:38: accessories/db/roles/0: unknown role: nope (roles: web)",
  ]);
});

test("a port is enough to define the check of a role without Traefik", async () => {
  const transcript = await transcriptOf({
    servers: { web: ["10.0.0.1"], jobs: { hosts: ["10.0.0.2"], healthcheck: { port: 9000 } } },
  });
  expect(transcript).toMatch(/--name app-jobs-2 .*--health-cmd 'curl -f http:\/\/localhost:9000\/up \|\| exit 1'/);
});

test("a role's max_attempts sets its deadline", async () => {
  const transcript = await transcriptOf({
    servers: { web: ["10.0.0.1"], jobs: { hosts: ["10.0.0.2"], healthcheck: { cmd: "true", max_attempts: 4 } } },
    healthcheck: { max_attempts: 3 },
  });
  expect(transcript).toMatch(
    /Wait until healthy \(web\): or_remove \.mrsk\/images wait_route app-web-2 .*\.mrsk \/up \S+ 10 0 6 50\n/,
  );
  expect(transcript).toMatch(/Wait until healthy \(jobs\): wait_healthy app-jobs-2 10 7 50\n/);
});

test.each(["app@10.0.0.1", "10.0.0.1:2222", "app@10.0.0.1:2222", "[2001:db8::1]:2222"])(
  "the host %s is used everywhere under the name that was written",
  async (host) => {
    const servers = { web: [host] };
    expect(await transcriptOf({ servers })).toContain(`${host}> Start > Start app-web-2`);
    expect(await transcriptOf({ servers }, { command: "app details" })).toContain(`App Host: ${host}`);
    expect(await transcriptOf({ servers }, { command: "app exec" })).toContain(`${host}> Run a command > Command`);
  },
);

test("traefik is true or false, also for web; a string is a mistake", async () => {
  const off = await transcriptOf({ servers: { web: { hosts: ["10.0.0.1"], traefik: false } } });
  expect(off).not.toMatch(/--name traefik|traefik\.http/);
  const rest = "service: a\nimage: b/c\nregistry: {username: u, password: p}\n";
  expect(await problemsOf(`${rest}servers: {web: {hosts: [h], traefik: "false"}}\n`)).toEqual([
    "deploy.yml:4:29: servers/web/traefik: should be true or false, without quotes",
  ]);
});

test("an accessory's template sees its clear env, also numbers, and does not change the environment of mrsk", async () => {
  const given = new Map([
    ["SECRET_ONLY", "from .env"],
    ["PORT", "of the process"],
  ]);
  const files = { "my.cnf.erb": 'port=<%= ENV["PORT"] %> secret=<%= ENV["SECRET_ONLY"] %>' };
  await inFolder(files, async (cwd) => {
    const resolved = await configOf(
      withRequired("accessories: {db: {image: x, host: h, env: {clear: {PORT: 3306}}, files: [my.cnf.erb:/my.cnf]}}\n"),
    );
    const before = { ...process.env };
    const run = fakeRun(resolved, { cwd, variables: given });
    await bootAccessory(run, "all");
    const content = (run.host("h") as FakeHost).secrets.get("my.cnf.erb")!;
    expect(Buffer.from(content, "base64").toString()).toBe("port=3306 secret=from .env");
    expect(given.get("PORT")).toBe("of the process");
    expect(process.env).toEqual(before);
  });
});

test("a template of an accessory with only secret env is rendered", async () => {
  await inFolder({ "a.erb": '<%= 1 + 1 %> <%= ENV["X"] %>' }, async (cwd) => {
    const resolved = await configOf(
      withRequired("accessories: {db: {image: x, host: h, env: {secret: [X]}, files: [a.erb:/a]}}\n"),
    );
    const given = new Map([["X", "x"]]);
    const run = fakeRun(resolved, { cwd, variables: given, secrets: new Secrets(given) });
    await bootAccessory(run, "all");
    const content = (run.host("h") as FakeHost).secrets.get("a.erb")!;
    expect(Buffer.from(content, "base64").toString()).toMatch(/ x$/);
  });
});

test("with a destination, images are removed by their name and the service: they carry no destination", () => {
  fake("docker", 'echo "$*" >>calls; case "$*" in "image ls"*) echo acme/app:1 ;; esac');
  expect(runCommands(removeImages(config({ destination: "staging", repository: "acme/app" }))).status).toBe(0);
  const calls = readFileSync(join(folder(), "calls"), "utf8");
  expect(calls).toContain("image ls --format {{.Repository}}:{{.Tag}} acme/app\n");
  expect(calls).toContain("image rm acme/app:1\n");
  expect(calls).toContain("image prune --all --force --filter label=service=app\n");
  expect(calls).not.toContain("destination");
});

test("stopped containers are counted per role and destination", () => {
  const roles = [role(), role({ name: "jobs", traefik: false, healthcheck: undefined })];
  const given = config({ roles, retainContainers: 3 });
  const versions = [4, 3, 2, 1];
  const world = aHost()
    .behindTraefik()
    .keeps(
      ...roles.flatMap(({ name }) =>
        versions.flatMap((version) => [stopped(name, version), stopped(name, version, { destination: "staging" })]),
      ),
    );
  const plan = decide({
    config: given,
    versionOn: () => "z",
    roles,
    facts: world.facts(),
    newId: (digits) => "0".repeat(digits),
    reuse: false,
    traefikArguments: [],
  });
  expect(plan.roles.map(({ surplus }) => surplus.map(({ name }) => name))).toEqual([["app-web-1"], ["app-jobs-1"]]);
  expect(redactedConfig(given, "z")["retain_containers"]).toBe(3);
});
