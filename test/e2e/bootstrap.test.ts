import { beforeAll, expect, test } from "vitest";
import { lab, onServer, Project, succeeded } from "./project.ts";

const project = new Project("bare");

beforeAll(async () => {
  // Bare again, where an earlier run has been here.
  await onServer(
    "bare",
    "service docker stop >/dev/null 2>&1; apt-get purge -y -qq docker.io curl >/dev/null 2>&1; true",
  );
  project.configure({ servers: [lab["LAB_BARE"]] });
  project.write(".env", "MRSK_REGISTRY_PASSWORD=none\n");
});

test("a server without Docker and curl gets both, where Docker's own script cannot be reached too", async () => {
  expect(await onServer("bare", "command -v docker curl || true")).toBe("");
  const ran = succeeded(await project.mrsk("server", "bootstrap"));
  expect(ran.stderr).toMatch(/installed (?:the distribution's docker.io|by Docker's own script)/);
  expect(await onServer("bare", "docker info --format '{{.OSType}}'; command -v curl")).toBe("linux\n/usr/bin/curl");
  succeeded(await project.mrsk("server", "bootstrap"));
});

test("a login user who may not install anything is told so", async () => {
  await onServer("bare", "service docker stop >/dev/null 2>&1; apt-get purge -y -qq docker.io >/dev/null 2>&1; true");
  project.configure({
    servers: [lab["LAB_BARE"]],
    ssh: { user: "nobody2", keys: [lab["LAB_KEY"]], config: [`${project.folder}/ssh_config`] },
  });
  const refused = await project.mrsk("server", "bootstrap");
  expect(refused.status).toBe(5);
  expect(refused.stderr).toContain("can't be automatically installed without root access");
  expect(refused.stderr).toContain("https://docs.docker.com/engine/install/");
});
