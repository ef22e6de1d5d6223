import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lab, onServer, Project, type Ran, succeeded, sweep } from "./project.ts";

const SERVER = "b";
const HOST = lab["LAB_B"]!;

/** Values that containers must get unchanged, and that must appear nowhere else. */
const VALUES: Readonly<Record<string, string>> = {
  SIGNS: `a$HOME#b "c" 'd' \\e \`id\` $(id) \${PATH} !f %s * ~ | & ; < > {} [] ?`,
  PRIVATE_KEY:
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nsecond+line/of=the=key\n-----END PRIVATE KEY-----\n",
  UNICODE: "pässwörd-✓-😀-日本語",
  JSON_VALUE: '{"user":"json-user","password":"p\\"q\\\\r","list":[1,2]}',
  LARGE: Array.from({ length: 2048 }, (_, i) => `large-${String(i).padStart(9, "0")}`).join("."),
  SPACES: "  leading-and-trailing  ",
  TABS: "\tbetween\ttabs\r",
};
const FETCHED = "fetched-by-a-command-8a7c";
const EXTRA = "one-more-secret-1c9";
const BUILD_ARG = "build-argument-value-5f1e";

/** The values, their lines, and both in base64 and JSON: pieces that occur nowhere else. */
function needles(): Map<string, string> {
  const found = new Map<string, string>();
  const all = { ...VALUES, FETCHED, BUILD_ARG, REGISTRY: lab["LAB_REGISTRY_PASSWORD"]! };
  for (const [name, value] of Object.entries(all)) {
    const shapes = [
      value,
      ...value.split("\n"),
      JSON.stringify(value).slice(1, -1),
      value.replaceAll("'", String.raw`'\''`),
      Buffer.from(value).toString("base64").replace(/=+$/, "").slice(0, -2),
    ];
    for (const shape of shapes) if (shape.trim().length >= 8) found.set(shape.trim().slice(0, 200), name);
  }
  found.set(VALUES["LARGE"]!.slice(20_000, 20_050), "LARGE");
  return found;
}

function leaks(text: string): string[] {
  return [...needles()].filter(([needle]) => text.includes(needle)).map(([needle, name]) => `${name}: ${needle}`);
}

/** A wrapper of docker that logs its arguments and those of all running processes. */
const recorder = (file: string, docker: string) => `#!/bin/sh
{ printf '%s\\n' "$@"; cat /proc/[0-9]*/cmdline 2>/dev/null; } >>${file}
exec ${docker} "$@"
`;

describe("secrets", () => {
  const shims = join(tmpdir(), `mrsk-shims-${process.pid}`);
  const project = new Project("secrets", { ...VALUES, PATH: `${shims}:${process.env["PATH"]}` });
  const recorded = join(shims, "recorded");
  const printed: string[] = [];

  /** Runs `mrsk` and collects its output. */
  const mrsk = async (...words: string[]): Promise<Ran> => {
    const ran = await project.mrsk(...words);
    printed.push(`${words.join(" ")}\n${ran.stdout}\n${ran.stderr}`);
    return ran;
  };

  const configure = (more: Record<string, unknown> = {}) => {
    const env = { clear: { PLAIN: "plain" }, secret: [...Object.keys(VALUES), "FETCHED"] };
    project.configure({
      servers: { web: [HOST], jobs: { hosts: [HOST], cmd: "sleep 1000" } },
      env,
      readiness_delay: 1,
      builder: { multiarch: false, args: { BUILD_ARG } },
      healthcheck: { path: "/up", port: 3000, max_attempts: 4 },
      accessories: {
        box: { image: "postgres:14", host: HOST, env: { ...env, clear: { POSTGRES_HOST_AUTH_METHOD: "trust" } } },
      },
      ...more,
    });
  };

  beforeAll(async () => {
    mkdirSync(shims);
    writeFileSync(join(shims, "docker"), recorder(recorded, (await execa("sh", ["-c", "command -v docker"])).stdout));
    chmodSync(join(shims, "docker"), 0o755);
    await sweep(SERVER);
    await onServer(
      SERVER,
      `rm -f /recorded; cat >/usr/local/bin/docker <<'SHIM'\n${recorder("/recorded", "/usr/bin/docker")}SHIM\nchmod 755 /usr/local/bin/docker`,
    );
    configure();
    project.write(
      "Dockerfile",
      `${readFileSync(join(project.folder, "Dockerfile"), "utf8")}ARG BUILD_ARG\nRUN [ "$BUILD_ARG" = ${BUILD_ARG.slice(0, 5)}"${BUILD_ARG.slice(5)}" ]\n`,
    );
    project.write(
      "fetch",
      `#!/bin/sh\necho run >>"$(dirname "$0")/fetched"\nprintf %s ${FETCHED.slice(0, 7)}; printf %s ${FETCHED.slice(7)}\n`,
    );
    chmodSync(join(project.folder, "fetch"), 0o755);
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\nFETCHED=$(./fetch)\n`);
    project.write(".gitignore", ".env\n.docker-config\nssh_config\nfetched\nempty\n");
    await project.commit("Secrets");
  });
  afterAll(async () => {
    await onServer(SERVER, "rm -f /usr/local/bin/docker /recorded");
    await sweep(SERVER);
    rmSync(shims, { recursive: true });
  });

  test("setup passes them to the app and the accessory unchanged", async () => {
    succeeded(await mrsk("setup", "-v"));
    for (const container of ["label=role=web", "label=role=jobs", "name=^secrets-box$"]) {
      const inspected = await onServer(
        SERVER,
        `/usr/bin/docker inspect -f '{{json .Config.Env}}' $(/usr/bin/docker ps -q --filter label=service --filter ${container})`,
      );
      const env = new Map(
        (JSON.parse(inspected) as string[]).map((pair) => [
          pair.slice(0, pair.indexOf("=")),
          pair.slice(pair.indexOf("=") + 1),
        ]),
      );
      for (const [name, value] of Object.entries({ ...VALUES, FETCHED }))
        expect([container, name, env.get(name)]).toEqual([container, name, value]);
    }
  });

  test("a command that fetches a secret runs once per run, and only if its value is needed", async () => {
    const runs = () => readFileSync(join(project.folder, "fetched"), "utf8").split("\n").length - 1;
    expect(runs()).toBe(1);
    succeeded(await mrsk("details"));
    succeeded(await mrsk("app", "logs"));
    expect(runs()).toBe(1);
    succeeded(await mrsk("app", "exec", "-v", "true"));
    expect(runs()).toBe(2);
  });

  test("a one-off container gets them unchanged, with a pipe and without", async () => {
    const script = "process.stdout.write(Buffer.from(JSON.stringify(process.env)).toString('base64'))";
    for (const role of ["web", "jobs"]) {
      const ran = succeeded(await project.mrsk("app", "exec", "--raw", "-r", role, `node -e "${script}"`));
      expect(JSON.parse(Buffer.from(ran.stdout, "base64").toString())).toMatchObject({ ...VALUES, FETCHED });
    }
    project.write("empty", "");
    const piped = succeeded(
      await project.mrskWithInput("empty", "app", "exec", "--raw", "-p", "-r", "web", `node -e "${script}"`),
    );
    expect(JSON.parse(Buffer.from(piped.stdout, "base64").toString())).toMatchObject({ ...VALUES, FETCHED });
    const accessory = succeeded(
      await project.mrsk("accessory", "exec", "--raw", "box", "base64 -w0 /proc/self/environ"),
    );
    const pairs = Buffer.from(accessory.stdout, "base64").toString().split("\0");
    for (const [name, value] of Object.entries({ ...VALUES, FETCHED })) expect(pairs).toContain(`${name}=${value}`);
  });

  test.each([
    ["registry", "login", "-v"],
    ["accessory", "boot", "all", "-v"],
    ["accessory", "reboot", "box", "-v"],
    ["app", "exec", "--reuse", "-v", "-e", `SPACES=${EXTRA}`, "true"],
    ["app", "exec", "-v", "-e", `EXTRA=${EXTRA}`, "true"],
    ["accessory", "exec", "-v", "box", "true"],
    ["app", "boot", "-v"],
    ["healthcheck", "perform", "-v"],
    ["config"],
    ["config", "--json"],
    ["audit"],
  ])("another command that passes or could print them: %s %s %s", async (...words) => {
    expect(await mrsk(...words)).toMatchObject({ status: 0 });
  });

  test("a failed deploy prints the app's log with its secrets redacted", async () => {
    const server = join(project.folder, "server.js");
    const good = readFileSync(server, "utf8");
    const dump =
      "for (const value of Object.values(process.env)) console.log(value); console.log(JSON.stringify(process.env)); process.exit(1);";
    writeFileSync(server, `${dump}\n${good}`);
    await project.commit("It prints all it knows");
    const ran = await mrsk("deploy", "-v");
    writeFileSync(server, good);
    expect(ran.status).toBe(6);
    expect(ran.stderr).toContain("[REDACTED]");
    // Everything else in the log is readable.
    expect(ran.stderr).toContain('"PLAIN":"plain"');
  });

  test("docker inspect on the server shows them redacted, also in a run that resolved none of them", async () => {
    // Their form in Go's JSON, in the error of a command.
    const inspecting = `case "$*" in "container stop"*) /usr/bin/docker inspect secrets-box; exit 1 ;; esac`;
    await onServer(SERVER, `sed -i '2i ${inspecting.replaceAll("'", String.raw`'\''`)}' /usr/local/bin/docker`);
    const ran = await project.mrsk("-v", "accessory", "stop", "box");
    await onServer(SERVER, "sed -i 2d /usr/local/bin/docker; /usr/bin/docker start secrets-box");
    expect(ran.stderr).toContain("SIGNS=[REDACTED]");
    // mrsk runs no command only to know which values to mask.
    expect(leaks(ran.stderr)).toEqual([`FETCHED: ${FETCHED}`]);
  });

  test("the output of a hook that prints its environment is redacted", async () => {
    project.write(".mrsk/hooks/pre-connect", "#!/bin/sh\nenv\nexit 1\n");
    chmodSync(join(project.folder, ".mrsk/hooks/pre-connect"), 0o755);
    const ran = await mrsk("deploy", "-P", "--version", "1");
    rmSync(join(project.folder, ".mrsk/hooks/pre-connect"));
    expect(ran.status).toBe(7);
    expect(ran.stderr).toContain("MRSK_REGISTRY_PASSWORD=[REDACTED]");
  });

  test("the output of the user's own command is not redacted", async () => {
    const ran = succeeded(await project.mrsk("app", "exec", "--reuse", "--raw", "-r", "web", "printenv UNICODE"));
    expect(ran.stdout).toBe(VALUES["UNICODE"]);
  });

  test("none is in any output", () => {
    expect(printed.filter((text) => leaks(text).length > 0).map((text) => [text.split("\n")[0], leaks(text)])).toEqual(
      [],
    );
  });

  test("none is in an argument list, on the server or on this machine", async () => {
    const there = await onServer(SERVER, "cat /recorded");
    expect(there).toContain("--password-stdin");
    expect(there).toContain("PRIVATE_KEY");
    expect(leaks(there)).toEqual([]);
    expect(there).not.toContain(EXTRA);
    const here = readFileSync(recorded, "utf8");
    expect(here).toContain("--build-arg\nBUILD_ARG\n");
    expect(leaks(here)).toEqual([]);
  });

  test("none is in a file, except docker's login", async () => {
    // docker's own files: its login, and briefly the environment of each `exec`.
    const find =
      "find /root /tmp /var/tmp /home -type f ! -path /root/.docker/config.json ! -path '/tmp/runc-process*'";
    const files = (
      await onServer(SERVER, `${find} -exec sh -c 'for file; do echo "=== $file"; cat "$file"; done' sh {} +`)
    )
      .split("=== ")
      .map((text) => ({ file: text.split("\n")[0], leaks: leaks(text) }));
    expect(files).toContainEqual({ file: "/root/mrsk-secrets-audit.log", leaks: [] });
    expect(files.filter((file) => file.leaks.length > 0)).toEqual([]);
    expect(leaks(filesBelow(project.folder).join("\n"))).toEqual([]);
  });
});

/** The content of the project's files, except those into which the test wrote the values. */
function filesBelow(folder: string): string[] {
  const own = ["deploy.yml", "Dockerfile", "fetch", ".env", "config.json", ".git"];
  return readdirSync(folder)
    .filter((name) => !own.includes(name))
    .map((name) => join(folder, name))
    .flatMap((path) =>
      statSync(path).isDirectory() ? filesBelow(path) : existsSync(path) ? [readFileSync(path, "utf8")] : [],
    );
}
