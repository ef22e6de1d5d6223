import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mrsk, project } from "../support/cli.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";

let sshd: Sshd;
beforeAll(async () => void (sshd = await startSshd()));
afterAll(() => sshd.stop());

/** deploy.yml with two servers, and `ssh` at the end. */
function folderWith(ssh: string, files: Readonly<Record<string, string>> = {}): string {
  const yaml = `service: app
image: dhh/app
servers: [127.0.0.1, localhost]
registry: { username: u, password: p }
ssh:
  port: ${sshd.port}
  user: ${userInfo().username}
${ssh}`;
  return project({ "config/deploy.yml": yaml, ...files });
}

const known = () => `  config: ssh_config\n`;
const ssh_config = () => `Host *\n  UserKnownHostsFile ${sshd.knownHosts}\n  IdentityFile none\n`;

test("all missing files of ssh keys are reported in one error, with their positions", async () => {
  const folder = folderWith("  keys:\n    - keys\n    - keys/id_gone\n    - keys/in_agent\n  config: [no_config]\n");
  mkdirSync(join(folder, "keys"));
  writeFileSync(join(folder, "keys/in_agent.pub"), readFileSync(`${sshd.key}.pub`));
  const { status, stderr } = await mrsk(folder, "server", "exec", "true");
  expect(status).toBe(3);
  expect(stderr.replaceAll(/\/\S*\/mrsk-cli-[^/]*/g, "FOLDER")).toContain(
    [
      "config/deploy.yml:9:7: ssh/keys/0: FOLDER/keys is a folder: name the private key in it, such as FOLDER/keys/id_ed25519",
      "config/deploy.yml:10:7: ssh/keys/1: there is no file FOLDER/keys/id_gone",
      "config/deploy.yml:12:12: ssh/config/0: there is no file FOLDER/no_config",
    ].join("\n"),
  );
  expect(stderr.match(/is a folder/g)).toHaveLength(1);
});

test("a single key that is not in a list has the position of ssh.keys", async () => {
  const { stderr } = await mrsk(folderWith("  keys: /no/such/key\n"), "server", "exec", "true");
  expect(stderr).toContain("config/deploy.yml:8:3: ssh/keys/0: there is no file /no/such/key");
});

test("a command that connects to no host needs no key", async () => {
  expect(await mrsk(folderWith("  keys: /no/such/key\n"), "config", "--version", "1")).toMatchObject({ status: 0 });
});

test("ssh.key_data names a variable, or is the key", async () => {
  const pem = readFileSync(sshd.key, "utf8");
  const env = { ssh_config: ssh_config(), ".env": `DEPLOY_KEY="${pem.trim().replaceAll("\n", String.raw`\n`)}"\n` };
  const named = folderWith(`${known()}  key_data: [DEPLOY_KEY]\n`, env);
  expect(await mrsk(named, "server", "exec", "echo got in")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("got in") as string,
  });
  const indented = pem.trim().replaceAll("\n", "\n      ");
  const raw = folderWith(`${known()}  key_data:\n    - |\n      ${indented}\n`, { ssh_config: ssh_config() });
  expect(await mrsk(raw, "server", "exec", "true")).toMatchObject({ status: 0 });
});

test("a variable of ssh.key_data that is not set is reported", async () => {
  const folder = folderWith(`${known()}  key_data: DEPLOY_KEY\n`, { ssh_config: ssh_config() });
  const { status, stderr } = await mrsk(folder, "server", "exec", "true");
  expect(status).toBe(3);
  expect(stderr.match(/DEPLOY_KEY is not set \(required by ssh\/key_data\)/g)).toHaveLength(1);
});
