import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { lab, onServer, Project, succeeded } from "./project.ts";

const project = new Project("bare");

function configure(user: string): void {
  const ssh = { user, keys: [lab["LAB_KEY"]], config: [join(project.folder, "ssh_config")] };
  project.configure({ servers: [lab["LAB_BARE"]], ssh });
}

beforeAll(() => project.write(".env", "MRSK_REGISTRY_PASSWORD=none\n"));

/** Undoes what an earlier test or run installed. */
beforeEach(async () => {
  await onServer(
    "bare",
    `service docker stop >/dev/null 2>&1
apt-get purge -y -qq docker.io curl >/dev/null 2>&1
for user in sudoer nobody2; do gpasswd -d $user docker >/dev/null 2>&1; done
true`,
  );
});

test("a server without Docker and curl gets both, also if Docker's own script cannot be reached", async () => {
  configure("root");
  expect(await onServer("bare", "command -v docker curl || true")).toBe("");
  const ran = succeeded(await project.mrsk("server", "bootstrap"));
  expect(ran.stderr).toMatch(/installed (?:the distribution's docker.io|by Docker's own script)/);
  expect(await onServer("bare", "docker info --format '{{.OSType}}'; command -v curl")).toBe("linux\n/usr/bin/curl");
  succeeded(await project.mrsk("server", "bootstrap"));
});

test("a login user with sudo installs Docker and joins its group, and the same run uses the group", async () => {
  configure("sudoer");
  const hook = join(project.folder, ".mrsk/hooks/docker-setup");
  project.write(
    ".mrsk/hooks/docker-setup",
    '#!/bin/sh\necho "$MRSK_HOSTS $MRSK_COMMAND $MRSK_SUBCOMMAND" >hook-said\n',
  );
  chmodSync(hook, 0o755);
  await project.commit("A hook");
  expect(await onServer("bare", "id -nG sudoer; command -v docker || true")).not.toContain("docker");
  const ran = succeeded(await project.mrsk("server", "bootstrap", "-v"));
  expect(ran.stderr).toContain("sudoer joined the group docker");
  expect(ran.stderr).toMatch(/Use Docker as the login user: done/);
  expect(await onServer("bare", "id -nG sudoer")).toContain("docker");
  expect(readFileSync(join(project.folder, "hook-said"), "utf8")).toBe(`${lab["LAB_BARE"]} server bootstrap\n`);
  const details = succeeded(await project.mrsk("app", "details"));
  expect(details.stdout).toContain("CONTAINER ID");
});

test("a login user who may not install anything gets an error", async () => {
  configure("nobody2");
  const refused = await project.mrsk("server", "bootstrap");
  expect(refused.status).toBe(5);
  expect(refused.stderr).toContain(
    `Docker is not installed on ${lab["LAB_BARE"]} and can't be automatically installed without having root access and the \`curl\` command available.`,
  );
  expect(refused.stderr).toContain("Install Docker manually: https://docs.docker.com/engine/install/");
  expect(await onServer("bare", "command -v docker || true")).toBe("");
});
