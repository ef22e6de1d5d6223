import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, lab, onServer, Project, sweep } from "./project.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const IMAGE = "mrsk-lab/mrsk";

describe("mrsk's own image", () => {
  const project = new Project("image");
  const home = join(project.folder, ".docker-config/home");
  const agent = { SSH_AUTH_SOCK: join(home, "agent"), SSH_AGENT_PID: "" };

  /** The README's alias, with the host's network: the lab's addresses are on this machine. */
  const mrsk = async (...words: readonly string[]) => {
    const mounts = [
      `${project.folder}:/workdir`,
      `${agent.SSH_AUTH_SOCK}:/ssh-agent`,
      `${join(home, ".ssh")}:/root/.ssh`,
    ];
    const volumes = [...mounts, "/var/run/docker.sock:/var/run/docker.sock"].flatMap((mount) => ["-v", mount]);
    const flags = ["--rm", "--network", "host", ...volumes, "-e", "SSH_AUTH_SOCK=/ssh-agent"];
    const ran = await execa("docker", ["run", ...flags, IMAGE, ...words], { all: true, reject: false });
    if (ran.exitCode !== 0) throw new Error(`exit status ${ran.exitCode}\n${ran.all}`);
    return ran.all;
  };

  /** In the container root owns everything except the user's folder. */
  const ownedBy = (user: number) => execa("chown", ["-R", `${user}:${user}`, project.folder]);

  beforeAll(async () => {
    await sweep("a");
    await execa("docker", ["build", "-t", IMAGE, ROOT]);
    mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
    cpSync(lab["LAB_KNOWN_HOSTS"]!, join(home, ".ssh/known_hosts"));
    const started = await execa("ssh-agent", ["-a", agent.SSH_AUTH_SOCK]);
    agent.SSH_AGENT_PID = /SSH_AGENT_PID=(\d+)/.exec(started.stdout)![1]!;
    await execa("ssh-add", ["-q", lab["LAB_KEY"]!], { env: agent });
    project.configure({ servers: [lab["LAB_A"]], ssh: {} });
    project.write(".env", `MRSK_REGISTRY_PASSWORD=${lab["LAB_REGISTRY_PASSWORD"]}\n`);
  });
  afterAll(async () => {
    await execa("ssh-agent", ["-k"], { env: agent });
    await sweep("a");
  });

  test("prints its version, and writes into the mounted folder", async () => {
    expect(await mrsk("version")).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await mrsk("init")).toContain("already exists");
    expect(await mrsk("docs", "hooks")).toMatch(/^# Hooks\n/);
    expect(readFileSync(join(project.folder, ".mrsk/hooks/pre-deploy.sample"), "utf8")).toContain("#!");
  });

  test("deploys, and redeploys a change, with the agent's key and the machine's docker", async () => {
    const first = await project.commit("First version");
    await ownedBy(1000);
    await mrsk("deploy");
    expect(await ask("a", "/version")).toEqual({ status: 200, text: `${first}\n` });
    const server = join(project.folder, "server.js");
    writeFileSync(server, readFileSync(server, "utf8").replace("hello from lab app", "hello from a container"));
    await ownedBy(0);
    const second = await project.commit("Second version");
    await ownedBy(1000);
    await mrsk("redeploy");
    expect(await ask("a", "/")).toEqual({ status: 200, text: "hello from a container\n" });
    expect(await onServer("a", `docker inspect -f '{{.State.Status}}' image-web-${first}`)).toBe("exited");
    expect(await mrsk("app", "version")).toContain(second);
  });

  test("trusts the mounted folder and its submodules, of any owner, and no other folder", async () => {
    const git = (folder: string, ...words: string[]) => {
      const flags = ["--rm", "-v", `${project.folder}:${folder}`, "--entrypoint", "git", "-w", folder];
      return execa("docker", ["run", ...flags, IMAGE, ...words], { all: true, reject: false });
    };
    await execa("git", ["init", "-q", join(project.folder, "vendor/sub")]);
    await ownedBy(1000);
    expect(await git("/workdir", "rev-parse", "HEAD")).toMatchObject({ exitCode: 0 });
    expect(await git("/workdir", "clone", "-q", "/workdir", "/tmp/clone")).toMatchObject({ exitCode: 0 });
    expect(await git("/workdir", "-C", "vendor/sub", "status", "--short")).toMatchObject({ exitCode: 0 });
    const elsewhere = await git("/elsewhere", "rev-parse", "HEAD");
    expect(elsewhere).toMatchObject({ exitCode: 128, all: expect.stringContaining("dubious ownership") as string });
    await ownedBy(0);
    await execa("rm", ["-r", join(project.folder, "vendor")]);
  });
});
