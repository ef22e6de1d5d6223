import { chmodSync, chownSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectOptions } from "../../src/ssh/settings/options.ts";
import { sharedClientSettings } from "../../src/ssh/settings/shared-settings.ts";
import { ssh } from "../support/config.ts";

const path = process.env["PATH"];
let folder: string;
let notes: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mrsk-refused-"));
  mkdirSync(join(folder, ".ssh"));
  notes = [];
});
afterEach(() => {
  process.env["PATH"] = path;
});

/** An `ssh` that fails with this error, unless `-F` names a file. */
function failingSsh(answer: string): void {
  mkdirSync(join(folder, "bin"), { recursive: true });
  const script = `#!/bin/sh\ncase " $* " in *" -F "*) exec env PATH='${path}' ssh "$@" ;; esac\necho "${answer}" >&2\nexit 255\n`;
  writeFileSync(join(folder, "bin/ssh"), script, { mode: 0o755 });
  process.env["PATH"] = `${folder}/bin:${path}`;
}

function configure(...lines: readonly string[]): string {
  const file = join(folder, ".ssh/config");
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

const client = () => ({
  agentSocket: undefined,
  home: folder,
  environment: process.env,
  note: (text: string) => void notes.push(text),
});

test.runIf(userInfo().uid === 0)("a configuration that belongs to another account is read, with a notice", async () => {
  const file = configure("Host box", "  HostName 192.0.2.7", "  IdentityFile ~/.ssh/%r-key", "Include more");
  const more = join(folder, ".ssh/more");
  writeFileSync(more, "Host box\n  Port 2222\n  UseKeychain yes\n  StrictHostKeyChecking ask\n");
  chownSync(file, 12_345, 12_345);
  failingSsh(`Bad owner or permissions on ${file}`);
  expect(await connectOptions("box", ssh(), client(), "target")).toMatchObject({
    host: "192.0.2.7",
    port: 2222,
    identityFiles: [expect.stringContaining(".ssh/root-key") as string],
    strictHostKeyChecking: "ask",
  });
  expect(notes).toEqual([
    `${file} belongs to another account (uid 12345): ssh refuses it, mrsk reads it`,
    `the OpenSSH here does not know these options, which are ignored: usekeychain (${more}: line 3)`,
  ]);
});

test("a configuration that others can write is refused, as by ssh", async () => {
  const file = configure("Host box", "  ProxyCommand touch /tmp/owned");
  chmodSync(file, 0o666);
  failingSsh(`Bad owner or permissions on ${file}`);
  await expect(connectOptions("box", ssh(), client())).rejects.toMatchObject({
    message: `box: OpenSSH rejects its configuration: Bad owner or permissions on ${file}`,
  });
});

test.each([
  ["one host", undefined],
  ["many hosts", sharedClientSettings()],
])("a user without an entry in passwd: the files are read without OpenSSH, for %s", async (_, readSettings) => {
  configure("Host box", "  HostName %h.example.com", "  IdentityFile ~/.ssh/%r-%h", "  UserKnownHostsFile %d/known");
  failingSsh("No user exists for uid 12345");
  expect(await connectOptions("box", ssh({ user: "app" }), client(), "target", readSettings)).toMatchObject({
    host: "box.example.com",
    user: "app",
    identityFiles: [`${folder}/.ssh/app-box.example.com`],
    knownHostsFiles: expect.arrayContaining([`${folder}/known`]) as string[],
  });
  expect(notes).toEqual([expect.stringContaining("no entry in passwd")]);
});

test("options that this OpenSSH does not know are named with their lines, the others are used", async () => {
  const file = configure("Host box", "  UseKeychain yes", "  HostName 192.0.2.7", "Host *", "  NoSuchOption 1");
  const settings = ssh({ config: [file] });
  expect(await connectOptions("box", settings, client())).toMatchObject({ host: "192.0.2.7" });
  expect(notes).toEqual([
    `the OpenSSH here does not know these options, which are ignored: usekeychain (${file}: line 2), nosuchoption (${file}: line 5)`,
  ]);
});

test.each([
  ["explicit, for this host", ["Host box", "  StrictHostKeyChecking ask"], "ask"],
  ["explicit, for all", ["Host *", "  stricthostkeychecking=ask"], "ask"],
  ["explicit, for another host", ["Host other", "  StrictHostKeyChecking ask"], "accept-new"],
  [
    "accept-new before it",
    ["Host box", "  StrictHostKeyChecking accept-new", "Host *", "  StrictHostKeyChecking ask"],
    "accept-new",
  ],
  ["in a file that is included", ["Include MORE"], "ask"],
  ["not set", ["Host box", "  Port 22"], "accept-new"],
])("StrictHostKeyChecking ask counts if a file sets it: %s", async (_, lines, expected) => {
  const more = join(folder, "more");
  writeFileSync(more, "StrictHostKeyChecking ask\n");
  const file = configure(...lines.map((line) => line.replace("MORE", more)));
  const found = await connectOptions("box", ssh({ config: [file] }), client());
  expect(found.strictHostKeyChecking).toBe(expected);
  const other = join(folder, "other");
  writeFileSync(other, "Port 22\n");
  expect((await connectOptions("box", ssh({ config: [file, other] }), client())).strictHostKeyChecking).toBe(expected);
});

test.each([
  ["a host name with a shell character", "box;reboot", "root"],
  ["a host name that is an option", "-oProxyCommand=x", "root"],
  ["a user name with a shell character", "box", "root`id`"],
  ["a user name that is an option", "box", "-l"],
  ["a user name with a pipe", "box", "a|b"],
])("names that OpenSSH refuses are refused, with and without ssh.config: %s", async (_, host, user) => {
  const settings = { user, proxyCommand: "connect %r %n" };
  for (const config of [false, [configure("Port 22")]] as const)
    await expect(connectOptions(host, ssh({ ...settings, config }), client())).rejects.toThrow("that ssh refuses");
});
