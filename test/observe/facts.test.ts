import { chmodSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sh } from "../../src/script/command.ts";
import { script, step } from "../../src/script/script.ts";
import { observe } from "../../src/observe/facts.ts";
import { LocalHost } from "../../src/hosts/local-host.ts";
import { noSecrets } from "../support/no-secrets.ts";

const ID = "0123456789abcdef";
const CONTAINER = `{"id":"${ID}","name":"/app-web-1","created":"2026-01-01T00:00:00Z","state":"running","health":null,"image":"dhh/app:1","restartPolicy":"unless-stopped","restartCount":2,"labels":{"service":"app","role":"web","destination":""}}`;
const OLDER = CONTAINER.replace(ID, "fedc").replace("app-web-1", "app-web-0").replace("2026-01", "2025-01");
const TRAEFIK = `{"image":"traefik:v3.7.15","state":"running","args":["--providers.docker"],"networks":{"bridge":{"IPAddress":"172.17.0.2"}},"mounts":[{"Source":"/srv/live","Destination":"/etc/traefik/mrsk"}],"ports":{"80/tcp":[{"HostIp":"","HostPort":"80"}],"443/tcp":null},"labels":{"traefik.enable":"true"}}`;

/** A host with a fake docker: its output by the beginning of its arguments. Other commands fail. */
function machine(answers: Readonly<Record<string, string>>): { host: LocalHost; home: string } {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "mrsk-facts-")));
  const branches = Object.entries(answers).map(
    ([words, output]) => `'${words}'*) cat <<'OUTPUT'\n${output.replaceAll("$PWD", home)}\nOUTPUT\n;;`,
  );
  mkdirSync(join(home, "bin"));
  writeFileSync(
    join(home, "bin/docker"),
    `#!/bin/sh\ncase "$*" in\n${branches.join("\n")}\n*) echo "Error: nothing" >&2; exit 1 ;;\nesac\n`,
  );
  chmodSync(join(home, "bin/docker"), 0o755);
  const environment = { PATH: `${join(home, "bin")}:${process.env["PATH"]}`, COLOR: "a b'c" };
  return { host: new LocalHost(home, environment, () => {}, noSecrets), home };
}

const options = {
  service: "app",
  expansions: ["COLOR", "NOT_SET"],
  versionsFile: ".mrsk/releases-app",
  runDirectory: ".mrsk",
};

test("a host with docker and nothing else", async () => {
  const { host, home } = machine({ "version --format": "20.10.24 1.41", "ps --all": "" });
  const root = process.getuid?.() === 0;
  expect(await observe(host, options)).toMatchObject({
    host: "localhost",
    home,
    engineVersion: "20.10.24",
    apiVersion: "1.41",
    minApiVersion: undefined,
    swapLeftovers: [],
    containers: [],
    traefik: undefined,
    liveDirectory: root ? "/var/lib/mrsk/traefik" : `${home}/.mrsk/traefik`,
    liveDirectoryWritable: true,
    liveFiles: new Map(),
    releases: [],
    expansions: new Map([
      ["COLOR", "a b'c"],
      ["NOT_SET", ""],
    ]),
  });
});

test("containers newest first, Traefik, versions in lines of the known format", async () => {
  const { host, home } = machine({
    "version --format": `26.1.5 1.45 {"MinAPIVersion":"1.24"}`,
    "ps --all": `${ID}\tapp-web-1\tapp\t\nfedc\tapp-web-0\tapp\t\nbeef\ttraefik\t\t0.0.0.0:80->80/tcp\n0ff\ttraefik-next\t\t`,
    [`inspect --type container --format {{if eq .Name "/traefik"}}`]: `${OLDER}\n${CONTAINER}\nstate running\nlive $PWD/.mrsk/traefik\n${TRAEFIK}`,
  });
  mkdirSync(join(home, ".mrsk/traefik"), { recursive: true });
  writeFileSync(join(home, ".mrsk/releases-app"), "1\t2026-01-01T00:00:00Z\tone\tada\n9\tnewer\n1\t2026\ttwo\tada\n");
  writeFileSync(join(home, ".mrsk/traefik/app-web.yml"), "http: {}\n");
  writeFileSync(join(home, ".mrsk/traefik/apple-web.yml"), "http: {}\n");
  const seen = await observe(host, options);
  expect(seen.containers.map(({ name }) => name)).toEqual(["app-web-1", "app-web-0"]);
  expect(seen.containers[0]).toMatchObject({
    id: ID,
    role: "web",
    destination: undefined,
    health: undefined,
    restartCount: 2,
  });
  expect(seen.traefik).toEqual({
    image: "traefik:v3.7.15",
    state: "running",
    args: ["--providers.docker"],
    address: "172.17.0.2",
    networks: ["bridge"],
    mounts: new Map([["/etc/traefik/mrsk", "/srv/live"]]),
    ports: ["0.0.0.0:80"],
    labels: new Map([["traefik.enable", "true"]]),
  });
  expect(seen).toMatchObject({ minApiVersion: "1.24", liveDirectory: join(home, ".mrsk/traefik") });
  expect(seen.swapLeftovers[0]).toBe("traefik-next");
  expect(seen.releases).toEqual(["one", "two"]);
  expect([...seen.liveFiles]).toEqual([["app-web", "http: {}\n"]]);
});

test("a user who may not use docker gets a hint", async () => {
  const { host } = machine({});
  writeFileSync(
    join((host as unknown as { cwd: string }).cwd, "bin/docker"),
    "#!/bin/sh\necho 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1\n",
  );
  await expect(observe(host, options)).rejects.toMatchObject({ hint: expect.stringContaining("usermod -aG docker") });
});

/** Podman's `docker`, as 4.9 prints it with /etc/containers/nodocker. */
const PODMAN = `#!/bin/sh
case "$1" in
  --version) echo "podman version 4.9.3" ;;
  *) echo 'Error: template: version:1:19: executing "version" at <.Server>: can'"'"'t evaluate field Server in type *define.Version' >&2; exit 125 ;;
esac
`;

test("Podman under docker's name is reported, with a hint", async () => {
  const { host, home } = machine({});
  writeFileSync(join(home, "bin/docker"), PODMAN);
  await expect(observe(host, options)).rejects.toMatchObject({
    name: "MrskError",
    message: "localhost: `docker` is Podman there (podman version 4.9.3), not Docker",
    hint: expect.stringContaining("Remove the package podman-docker"),
  });
});

test("the engine's log driver, and the API version of its docker command", async () => {
  const { host } = machine({
    "version --format": '27.5.1 1.47 {"MinAPIVersion":"1.24","Arch":"amd64"}\nclient 1.43',
    "info --format": "journald",
    "ps --all": "",
  });
  expect(await observe(host, options)).toMatchObject({
    engineVersion: "27.5.1",
    apiVersion: "1.47",
    clientApiVersion: "1.43",
    minApiVersion: "1.24",
    architecture: "amd64",
    logDriver: "journald",
  });
});

test.each([
  ["cut off", '{"id":"0123","name":"/app-w', '{"id":"0123","name":"/app-w'],
  ["of another shape", '{"id":7}', '{"id":7}'],
  ["endless", `{"id":"${"x".repeat(5000)}`, `{"id":"${"x".repeat(193)}…`],
])("the output of docker inspect is %s: an error message without a stack trace", async (_, printed, shown) => {
  const { host } = machine({
    "version --format": "26.1.5 1.45",
    "ps --all": `${ID}\tapp-web-1\tapp\t`,
    "inspect --type container": printed,
  });
  await expect(observe(host, options)).rejects.toMatchObject({
    name: "MrskError",
    message: `localhost: unexpected output of docker inspect: ${shown}`,
  });
});

test("a run directory without write permission is reported", async () => {
  const { host, home } = machine({ "version --format": "26.1.5 1.45", "ps --all": "" });
  expect(await observe(host, options)).toMatchObject({ runDirectoryWritable: true, canProbe: true });
  writeFileSync(join(home, ".mrsk"), "a file");
  expect(await observe(host, options)).toMatchObject({ runDirectoryWritable: false, canProbe: true });
});

test.each([
  ["docker: write /var/lib/docker/tmp/x: no space left on device", "`df -h` there shows which"],
  ["sh: 1: cannot create x: Disk quota exceeded", "`df -h` there shows which"],
  ["touch: cannot touch 'x': Read-only file system", "is read-only"],
])("any command that fails because of the disk gets a hint: %s", async (output, hint) => {
  const { host } = machine({});
  const failing = host.run(script("Try", [step("Try", sh`echo ${output} >&2; exit 1`)]));
  await expect(failing).rejects.toMatchObject({ hint: expect.stringContaining(hint) as string });
});
