import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { Ssh } from "../../../src/config/config.ts";
import { connectOptions } from "../../../src/ssh/settings/options.ts";
import { ssh } from "../../support/config.ts";

const home = mkdtempSync(join(tmpdir(), "mrsk-home-"));
const client = { agentSocket: "/run/agent", home, environment: {}, note: () => {} };

/** The `ssh` section of deploy.yml, with a client configuration of these lines. */
function settings(lines: readonly string[] | false, more: Partial<Ssh> = {}): Ssh {
  const file = join(mkdtempSync(join(tmpdir(), "mrsk-ssh-")), "config");
  if (lines) writeFileSync(file, `${lines.join("\n")}\n`);
  return ssh({ config: lines === false ? false : [file], connectTimeoutSeconds: 15, ...more });
}

test.each([
  ["web1", { user: "ada", host: "web1", port: 2200 }],
  ["deploy@web1:2222", { user: "deploy", host: "web1", port: 2222 }],
  ["[2001:db8::1]:22", { user: "ada", host: "2001:db8::1", port: 22 }],
  ["2001:db8::1", { user: "ada", host: "2001:db8::1", port: 2200 }],
  ["a@b@web1", { user: "a@b", host: "web1", port: 2200 }],
])("the host %s: its own user and port, otherwise those of deploy.yml", async (name, address) => {
  expect(await connectOptions(name, settings(false, { user: "ada", port: 2200 }), client)).toMatchObject(address);
});

/** With and without OpenSSH. */
const readers = [
  ["OpenSSH", process.env["PATH"]],
  ["no OpenSSH", mkdtempSync(join(tmpdir(), "mrsk-empty-"))],
] as const;

describe.each(readers)("the client's configuration, read with %s", (_, path) => {
  const before = process.env["PATH"];
  afterEach(() => {
    process.env["PATH"] = before;
  });
  const options = (...args: Parameters<typeof connectOptions>) => {
    process.env["PATH"] = path;
    return connectOptions(...args);
  };

  test("an alias leads to its host, port and keys; the user is deploy.yml's", async () => {
    const lines = [
      "Host web1",
      "  HostName 192.0.2.7",
      "  Port 2200",
      "  User ada",
      "  IdentityFile ~/.ssh/web",
      "  IdentityFile ~/.ssh/other",
      "  IdentitiesOnly yes",
      "  HostKeyAlias the-web",
      "Host *",
      "  HashKnownHosts yes",
    ];
    expect(await options("web1", settings(lines), client)).toMatchObject({
      name: "web1",
      host: "192.0.2.7",
      port: 2200,
      user: "root",
      identityFiles: [`${home}/.ssh/web`, `${home}/.ssh/other`],
      identitiesOnly: true,
      hostKeyAlias: "the-web",
      hashKnownHosts: true,
      jumps: [],
      proxyCommand: undefined,
    });
  });

  test("the host string wins over deploy.yml, and deploy.yml over the client's configuration", async () => {
    const lines = ["Host *", "  Port 2200", "  User ada"];
    expect(await options("deploy@web1:2222", settings(lines), client)).toMatchObject({ user: "deploy", port: 2222 });
    expect(await options("web1", settings(lines, { port: 2201 }), client)).toMatchObject({ user: "root", port: 2201 });
  });

  test("jump hosts and proxy commands, unless deploy.yml sets them", async () => {
    const jump = ["Host *", "  ProxyJump ada@bastion:2022,inner"];
    expect((await options("web1", settings(jump), client)).jumps).toEqual(["ada@bastion:2022", "inner"]);
    expect((await options("web1", settings(jump, { proxy: "own" }), client)).jumps).toEqual(["own"]);
    const tokens = ["Host *", "  ProxyJump ada@gate-%h"];
    expect((await options("web1", settings(tokens), client)).jumps).toEqual(["ada@gate-web1"]);
    const command = ["Host *", "  ProxyCommand nc -x proxy %h %p"];
    expect((await options("web1", settings(command), client)).proxyCommand).toMatch(/^nc -x proxy/);
    const own = await options("web1", settings(command, { proxyCommand: "own %h" }), client);
    expect(own.proxyCommand).toBe("own web1");
    expect((await options("web1", settings(["Host *", "  ProxyCommand none"]), client)).proxyCommand).toBeUndefined();
  });

  test.each([
    ["  IdentityFile ~/.ssh/id_ed25519", true],
    ["  IdentityFile ~/keys/deploy", true],
    ["  Port 22", false],
  ])("whether keys are named: %s", async (line, named) => {
    expect((await options("web1", settings(["Host *", line]), client)).identitiesNamed).toBe(named);
  });

  test.each([
    ["  IdentityAgent /run/other.sock", "/run/other.sock"],
    ["  IdentityAgent none", undefined],
    ["  IdentityAgent SSH_AUTH_SOCK", "/run/agent"],
    ["  Port 22", "/run/agent"],
  ])("%s", async (line, agent) => {
    expect((await options("web1", settings(["Host *", line]), client)).agent).toBe(agent);
  });

  test.each([
    ["yes", "yes"],
    ["no", "no"],
    ["accept-new", "accept-new"],
    ["ask", "ask"],
  ])("StrictHostKeyChecking %s is %s", async (written, expected) => {
    const lines = ["Host *", `  StrictHostKeyChecking ${written}`, "  UserKnownHostsFile /one /two"];
    expect(await options("web1", settings(lines), client)).toMatchObject({
      strictHostKeyChecking: expected,
      knownHostsFiles: expect.arrayContaining(["/one", "/two"]) as string[],
    });
  });

  test("ssh.config: false reads no file, and keys_only tries only deploy.yml's keys", async () => {
    const deployYml = settings(false, { keys: ["~/.ssh/deploy"], keysOnly: true });
    expect(await options("web1", deployYml, client)).toMatchObject({
      host: "web1",
      port: 22,
      identityFiles: [`${home}/.ssh/deploy`],
      identitiesOnly: true,
      knownHostsFiles: [`${home}/.ssh/known_hosts`, "/etc/ssh/ssh_known_hosts"],
    });
  });
});

test("without OpenSSH the files of the user and the system count", async () => {
  mkdirSync(join(home, ".ssh"), { recursive: true });
  writeFileSync(join(home, ".ssh/config"), "Host web1\n  HostName 192.0.2.9\n");
  const before = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  const found = await connectOptions("web1", settings([], { config: true }), client);
  process.env["PATH"] = before;
  expect(found.host).toBe("192.0.2.9");
});

test("a configuration that OpenSSH rejects is an error with its line", async () => {
  await expect(connectOptions("web1", settings(["Port none"]), client)).rejects.toMatchObject({
    message: expect.stringMatching(/web1: OpenSSH rejects its configuration: .*line 1: Bad port/s),
    hint: expect.stringContaining("ssh.config"),
  });
});
