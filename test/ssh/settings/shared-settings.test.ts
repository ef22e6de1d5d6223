import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { clientSettings } from "../../../src/ssh/settings/client-config.ts";
import { sharedClientSettings } from "../../../src/ssh/settings/shared-settings.ts";

const HOSTS = ["web1", "web2", "WEB4", "web-3.example.com", "10.0.0.1", "10.0.0.2", "fe80::1"];
const SILENT = { environment: {}, note: () => {} };
const home = mkdtempSync(join(tmpdir(), "mrsk-home-"));
const log = join(home, "calls");
const before = process.env["PATH"];

/** A wrapper of OpenSSH that counts its calls. */
beforeAll(() => {
  const ssh = execFileSync("sh", ["-c", "command -v ssh"], { encoding: "utf8" }).trim();
  const programs = join(home, "bin");
  mkdirSync(programs);
  writeFileSync(join(programs, "ssh"), `#!/bin/sh\necho call >>${log}\nexec ${ssh} "$@"\n`, { mode: 0o755 });
  process.env["PATH"] = `${programs}:${before}`;
});
afterAll(() => {
  process.env["PATH"] = before;
  rmSync(home, { recursive: true });
});
beforeEach(() => rmSync(log, { force: true }));

function calls(): number {
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").length : 0;
}

function files(...texts: readonly string[]): string[] {
  const folder = mkdtempSync(join(home, "config-"));
  return texts.map((text, i) => {
    const file = join(folder, `config${i}`);
    writeFileSync(file, text);
    return file;
  });
}

const included = mkdtempSync(join(home, "included-"));
writeFileSync(join(included, "one.conf"), "Host web*\n  Port 2200\n");
writeFileSync(join(included, "named.conf"), "Host 10.*\n  HostName gate.example.com\n");

test.each<[what: string, expected: number, ...texts: string[]]>([
  ["an empty file", 1, ""],
  ["settings for all hosts", 1, "Host *\n  UserKnownHostsFile /one /two\n  IdentityFile ~/.ssh/id_x\n"],
  [
    "sections by pattern",
    4,
    "Host web*\n  ProxyJump gate\n  Port 2201\nHost *.example.com\n  User ada\nHost * !10.0.0.1 !10.0.0.2\n  IdentitiesOnly yes\n",
  ],
  ["a HostName", 2, "Host web2\n  HostName 192.0.2.2\n  Port 2202\n"],
  ["a token in a section", 4, "Host web*\n  ProxyCommand nc %h %p\nHost *\n  Compression yes\n"],
  ["a token for all hosts", 7, "Host *\n  IdentityFile ~/.ssh/%n\n"],
  ["a Match", 7, "Match host web1\n  Port 2203\n"],
  ["a ? in a pattern", 7, "Host web?\n  Port 2204\n"],
  ["CanonicalizeHostname", 7, "CanonicalizeHostname no\n"],
  ["sections of an included file", 2, `Include ${included}/one*\n`],
  ["a HostName in an included file", 3, `Include ${included}/named.conf\n`],
  ["included files that do not exist", 1, "Include /no/such/*.conf no-such\n"],
  ["a pattern in the folder of an Include", 7, `Include ${included}/*/x.conf\n`],
  ["several files", 3, "Host web1 web2\n  Port 2205\n", "Host web*\n  Port 2206\nHost web-3.example.com\n"],
])("hosts under the same sections share one call: %s", async (_, expected, ...texts) => {
  const settings = sharedClientSettings();
  const of = (host: string) => ({ name: host, host, user: "root", port: undefined, files: written, home, ...SILENT });
  const written = files(...texts);
  const found = await Promise.all(HOSTS.map((host) => settings(of(host))));
  const counted = calls();
  for (const [i, host] of HOSTS.entries()) {
    const own = new Map(await clientSettings(of(host)));
    const shared = new Map(found[i]);
    // The name given to `ssh -G`.
    for (const map of [own, shared]) map.delete("host");
    expect(shared).toEqual(own);
  }
  expect(counted).toBe(expected);
});

test("hosts with another user or port get their own calls", async () => {
  const settings = sharedClientSettings();
  const of = { files: files(""), home, ...SILENT };
  await settings({ name: "a", host: "a", user: "root", port: undefined, ...of });
  const [ada, other] = await Promise.all([
    settings({ name: "b", host: "b", user: "ada", port: undefined, ...of }),
    settings({ name: "c", host: "c", user: "root", port: 2222, ...of }),
  ]);
  expect([ada.get("user"), other.get("port"), calls()]).toEqual([["ada"], ["2222"], 3]);
});

test("an error names each host", async () => {
  const settings = sharedClientSettings();
  const of = { user: "root", port: undefined, files: files("Port none"), home, ...SILENT };
  for (const name of ["web1", "web2"]) {
    await expect(settings({ name, host: name, ...of })).rejects.toThrow(`${name}: `);
  }
});
