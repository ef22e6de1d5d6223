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
const asked = join(home, "asked");
const before = process.env["PATH"];

/** OpenSSH's own, which says how often it was asked. */
beforeAll(() => {
  const ssh = execFileSync("sh", ["-c", "command -v ssh"], { encoding: "utf8" }).trim();
  const programs = join(home, "bin");
  mkdirSync(programs);
  writeFileSync(join(programs, "ssh"), `#!/bin/sh\necho asked >>${asked}\nexec ${ssh} "$@"\n`, { mode: 0o755 });
  process.env["PATH"] = `${programs}:${before}`;
});
afterAll(() => {
  process.env["PATH"] = before;
  rmSync(home, { recursive: true });
});
beforeEach(() => rmSync(asked, { force: true }));

function times(): number {
  return existsSync(asked) ? readFileSync(asked, "utf8").trim().split("\n").length : 0;
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

test.each<[what: string, asks: number, ...texts: string[]]>([
  ["nothing", 1, ""],
  ["what all hosts have", 1, "Host *\n  UserKnownHostsFile /one /two\n  IdentityFile ~/.ssh/id_x\n"],
  [
    "sections by pattern",
    4,
    "Host web*\n  ProxyJump gate\n  Port 2201\nHost *.example.com\n  User ada\nHost * !10.0.0.1 !10.0.0.2\n  IdentitiesOnly yes\n",
  ],
  ["a name of one", 2, "Host web2\n  HostName 192.0.2.2\n  Port 2202\n"],
  ["a token in a section", 4, "Host web*\n  ProxyCommand nc %h %p\nHost *\n  Compression yes\n"],
  ["a token for all", 7, "Host *\n  IdentityFile ~/.ssh/%n\n"],
  ["a condition", 7, "Match host web1\n  Port 2203\n"],
  ["a sign that stands for one letter", 7, "Host web?\n  Port 2204\n"],
  ["names that are looked up", 7, "CanonicalizeHostname no\n"],
  ["another file's sections", 2, `Include ${included}/one*\n`],
  ["another file's names", 3, `Include ${included}/named.conf\n`],
  ["other files that are not there", 1, "Include /no/such/*.conf no-such\n"],
  ["other files in many places", 7, `Include ${included}/*/x.conf\n`],
  ["several files", 3, "Host web1 web2\n  Port 2205\n", "Host web*\n  Port 2206\nHost web-3.example.com\n"],
])("hosts under the same sections are asked for once: %s", async (_, asks, ...texts) => {
  const ask = sharedClientSettings();
  const of = (host: string) => ({ name: host, host, user: "root", port: undefined, files: written, home, ...SILENT });
  const written = files(...texts);
  const found = await Promise.all(HOSTS.map((host) => ask(of(host))));
  const counted = times();
  for (const [i, host] of HOSTS.entries()) {
    const own = new Map(await clientSettings(of(host)));
    const shared = new Map(found[i]);
    // OpenSSH repeats there what it was asked.
    for (const settings of [own, shared]) settings.delete("host");
    expect(shared).toEqual(own);
  }
  expect(counted).toBe(asks);
});

test("hosts with another user or port are asked for by themselves", async () => {
  const ask = sharedClientSettings();
  const of = { files: files(""), home, ...SILENT };
  await ask({ name: "a", host: "a", user: "root", port: undefined, ...of });
  const [ada, other] = await Promise.all([
    ask({ name: "b", host: "b", user: "ada", port: undefined, ...of }),
    ask({ name: "c", host: "c", user: "root", port: 2222, ...of }),
  ]);
  expect([ada.get("user"), other.get("port"), times()]).toEqual([["ada"], ["2222"], 3]);
});

test("an error names each host", async () => {
  const ask = sharedClientSettings();
  const of = { user: "root", port: undefined, files: files("Port none"), home, ...SILENT };
  for (const name of ["web1", "web2"]) {
    await expect(ask({ name, host: name, ...of })).rejects.toThrow(`${name}: `);
  }
});
