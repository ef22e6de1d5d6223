import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { installDocker } from "../../src/commands/bootstrap.ts";
import { runnable } from "../support/config.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";
import { JOINED } from "../../src/shell/constants.ts";

// A host of fakes: PATH has only the programs in this folder.
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "host-"));
  for (const tool of ["sh", "env", "rm", "sleep", "touch", "cat"]) {
    const found = spawnSync("/bin/sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).stdout.trim();
    symlinkSync(found, join(folder, tool));
  }
});
afterEach(() => rmSync(folder, { recursive: true }));

function fake(name: string, body: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $*" >>${folder}/log\n${body}\n`);
  chmodSync(join(folder, name), 0o755);
}

function host({ root }: { root: boolean }): void {
  fake("id", `case $1 in -u) echo ${root ? 0 : 1000} ;; -un) echo deploy ;; esac`);
  if (!root) fake("sudo", "exit 1");
}

/** A login user with sudo without a password. */
function sudoer(): void {
  fake("id", "case $1 in -u) echo 1000 ;; -un) echo deploy ;; esac");
  fake("sudo", 'shift; [ "$1" = true ] || USING_SUDO=yes exec "$@"');
}

/** A package manager that installs a docker that answers, and a curl that reaches nothing. */
function withPackages(name: string): void {
  const brings = (tool: string, status: number) =>
    `printf '#!/bin/sh\\nexit ${status}\\n' >${folder}/${tool}; /bin/chmod +x ${folder}/${tool}`;
  fake(name, `case "$*" in *docker*) ${brings("docker", 0)} ;; *curl*) ${brings("curl", 7)} ;; esac`);
}

function install(): { status: number | null; stdout: string; stderr: string; log: string } {
  const done = spawnSync("/bin/sh", ["-ec", runnable(installDocker())], { encoding: "utf8", env: { PATH: folder } });
  const log = join(folder, "log");
  return { ...done, log: existsSync(log) ? readFileSync(log, "utf8") : "" };
}

test("a host with Docker and curl remains unchanged", () => {
  host({ root: false });
  fake("docker", "exit 0");
  fake("curl", "exit 0");
  expect(install()).toMatchObject({ status: 0, stdout: "present\n" });
});

test("Podman under docker's name is reported, and remains unchanged", () => {
  host({ root: true });
  fake("docker", 'case $1 in --version) echo "podman version 4.9.3" ;; esac');
  fake("curl", "exit 0");
  withPackages("apt-get");
  const { status, stdout, log } = install();
  expect({ status, stdout }).toEqual({ status: ExitStatus.NOT_DOCKER, stdout: "podman version 4.9.3\n" });
  expect(log).not.toContain("apt-get");
});

test("a login user who may not install anything changes nothing", () => {
  host({ root: false });
  withPackages("apt-get");
  const { status, log } = install();
  expect(status).toBe(ExitStatus.NOT_ALLOWED);
  expect(log).not.toContain("apt-get");
});

test("Docker's own script is used if it can be downloaded", () => {
  host({ root: true });
  fake("curl", `echo 'printf "#!/bin/sh\\nexit 0\\n" >${folder}/docker; /bin/chmod +x ${folder}/docker'`);
  const { status, stdout, log } = install();
  expect({ status, stdout }).toEqual({ status: 0, stdout: "installed by Docker's own script\n" });
  expect(log).toContain("curl -fsSL --max-time 30 https://get.docker.com");
});

test.each([
  ["apt-get", "install -y -qq --no-install-recommends docker.io iptables"],
  ["dnf", "install -y -q docker"],
  ["yum", "install -y -q docker"],
  ["zypper", "--non-interactive --quiet install docker"],
  ["apk", "add --quiet docker"],
])("without the script, %s installs a package", (name, expected) => {
  host({ root: true });
  withPackages(name);
  const { status, stdout, log } = install();
  expect(status).toBe(0);
  expect(stdout).toMatch(/^installed the distribution's docker/);
  expect(log).toContain(`${name} ${expected}`);
});

test("without curl, wget downloads the script, and curl is installed as a package", () => {
  host({ root: true });
  withPackages("apt-get");
  fake("wget", `echo 'printf "#!/bin/sh\\nexit 0\\n" >${folder}/docker; /bin/chmod +x ${folder}/docker'`);
  const { status, stdout, log } = install();
  expect({ status, stdout }).toEqual({ status: 0, stdout: "installed by Docker's own script\n" });
  expect(log).toContain("wget -qO- -T 30 https://get.docker.com");
  expect(log).toMatch(/apt-get install .* curl ca-certificates/);
});

test("if dnf has no package docker, Fedora's moby-engine is installed", () => {
  host({ root: true });
  const brings = (tool: string) => `printf '#!/bin/sh\\nexit 0\\n' >${folder}/${tool}; /bin/chmod +x ${folder}/${tool}`;
  fake("curl", "exit 7");
  fake("dnf", `case "$*" in *moby-engine*) ${brings("docker")} ;; *docker*) exit 1 ;; esac`);
  const { status, log } = install();
  expect(status).toBe(0);
  expect(log).toContain("dnf install -y -q moby-engine");
});

test("a login user with sudo installs with it, and joins the group", () => {
  sudoer();
  fake("usermod", "exit 0");
  // Docker answers only root.
  const docker = `printf '#!/bin/sh\\n[ "$USING_SUDO" ]\\n' >${folder}/docker; /bin/chmod +x ${folder}/docker`;
  fake("curl", "exit 7");
  fake("apt-get", `case "$*" in *docker.io*) ${docker} ;; esac`);
  const { status, stdout, log } = install();
  expect(status).toBe(0);
  expect(stdout).toBe(`installed the distribution's docker.io\ndeploy ${JOINED}\n`);
  expect(log).toMatch(/sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install/);
  expect(log).toContain("usermod -aG docker deploy");
});
