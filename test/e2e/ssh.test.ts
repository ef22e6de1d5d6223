import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { lab, onServer, Project, sweep } from "./project.ts";

/** Login methods of ssh: one deploy to a host with each of them. */
const A = lab["LAB_A"]!;
const keys = mkdtempSync(join(tmpdir(), "mrsk-e2e-ssh-"));
const key = (name: string, ...words: string[]) => {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(keys, name), ...words]);
  return readFileSync(join(keys, `${name}.pub`), "utf8").trim();
};
const socket = join(keys, "agent");
const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
const project = new Project("ways", { SSH_AUTH_SOCK: socket });

/** The lines of ssh_config for every host. */
function configured(...lines: readonly string[]): void {
  const known = [`  UserKnownHostsFile ${lab["LAB_KNOWN_HOSTS"]}`, "  StrictHostKeyChecking yes"];
  writeFileSync(
    join(project.folder, "ssh_config"),
    ["Host *", ...lines.map((line) => `  ${line}`), ...known, ""].join("\n"),
  );
}

/** Makes sshd read its settings again. sshd starts itself again for that, and refuses connections meanwhile. */
async function reloadSshd(): Promise<void> {
  await onServer("a", "kill -HUP $(cat /run/sshd.pid)");
  await vi.waitFor(() => onServer("a", "true"), { timeout: 10_000, interval: 100 });
}

async function got(): Promise<string> {
  const { status, stdout, stderr } = await project.mrsk("server", "exec", "echo got in");
  return status === 0 ? stdout.trim().split("\n").at(-1)! : stderr;
}

beforeAll(async () => {
  await sweep("a");
  project.configure({ servers: [A], ssh: { config: "ssh_config" } });
  const authority = key("authority");
  const named = key("named", "-N", "secret words");
  for (const name of ["signed", ...Array.from({ length: 7 }, (_, i) => `other${i}`)]) key(name);
  execFileSync("ssh-keygen", [
    "-q",
    "-s",
    join(keys, "authority"),
    "-I",
    "e2e",
    "-n",
    "root",
    join(keys, "signed.pub"),
  ]);
  await onServer(
    "a",
    `cp -p .ssh/authorized_keys .ssh/kept; printf '%s\n' 'cert-authority ${authority}' '${named}' >>.ssh/authorized_keys`,
  );
  while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
  const askpass = join(keys, "askpass");
  writeFileSync(askpass, "#!/bin/sh\necho secret words\n", { mode: 0o700 });
  const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
  for (const name of [...Array.from({ length: 7 }, (_, i) => `other${i}`), "named"])
    execFileSync("ssh-add", ["-q", join(keys, name)], { env, stdio: "pipe" });
});
afterAll(async () => {
  agent.kill();
  await onServer("a", "mv .ssh/kept .ssh/authorized_keys; rm -f /etc/ssh/sshd_config.d/certificate.conf");
  await reloadSshd();
});

test("a certificate logs in", async () => {
  configured(`IdentityFile ${keys}/signed`, "UseKeychain yes");
  expect(await got()).toBe("got in");
});

test("an encrypted key that the agent holds after seven others logs in, named by ssh.keys and by ssh_config", async () => {
  configured("UseKeychain yes", `IdentityFile ${keys}/named`);
  expect(await got()).toBe("got in");
  configured("IdentityFile none");
  project.configure({ servers: [A], ssh: { config: "ssh_config", keys: [join(keys, "named")] } });
  expect(await got()).toBe("got in");
});

test("a host that needs a certificate of an authority is refused without one", async () => {
  const known = join(keys, "known");
  writeFileSync(known, `@cert-authority * ${readFileSync(join(keys, "authority.pub"), "utf8")}`);
  configured(`IdentityFile ${lab["LAB_KEY"]}`, `UserKnownHostsFile ${known}`, "StrictHostKeyChecking accept-new");
  expect(await got()).toContain("requires a certificate for its host key");
  expect(readFileSync(known, "utf8").split("\n")).toHaveLength(2);
});

test("a host with a certificate of the authority is known without its own line in known_hosts", async () => {
  const host = join(keys, "host");
  writeFileSync(`${host}.pub`, await onServer("a", "cat /etc/ssh/ssh_host_ed25519_key.pub"));
  execFileSync("ssh-keygen", ["-q", "-s", join(keys, "authority"), "-I", "e2e", "-h", "-n", A, `${host}.pub`]);
  const certificate = readFileSync(`${host}-cert.pub`, "utf8").trim();
  const where = "/etc/ssh/ssh_host_ed25519_key-cert.pub";
  const setting = `echo 'HostCertificate ${where}' >/etc/ssh/sshd_config.d/certificate.conf`;
  await onServer("a", `echo '${certificate}' >${where}; ${setting}`);
  await reloadSshd();
  const known = join(keys, "known");
  writeFileSync(known, `@cert-authority * ${readFileSync(join(keys, "authority.pub"), "utf8")}`);
  configured(`IdentityFile ${lab["LAB_KEY"]}`, `UserKnownHostsFile ${known}`, "StrictHostKeyChecking yes");
  expect(await got()).toBe("got in");
});
