import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { knownKeys, remember } from "../../../src/ssh/host-keys/known-hosts.ts";

const KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJwJ4pV8hEUnW1UGBuGvVVEjdVJPi2MuoMUa7RmmiTFb";
const folder = mkdtempSync(join(tmpdir(), "mrsk-known-"));

test.each([
  ["example.com", "example.com", 22],
  ["Example.COM", "example.com", 22],
  ["one,two,example.com", "example.com", 22],
  ["*.example.com", "web.example.com", 22],
  ["*.example.com,!web.example.com", "web.example.com", 22],
  ["[example.com]:2222", "example.com", 2222],
  ["example.com", "example.com", 2222],
  ["192.0.2.?", "192.0.2.7", 22],
  ["# example.com", "example.com", 22],
])("%s and %s:%i: the same result as ssh-keygen", (patterns, host, port) => {
  const file = join(folder, "plain");
  writeFileSync(file, `${patterns} ssh-ed25519 ${KEY}\n`);
  const name = port === 22 ? host : `[${host}]:${port}`;
  expect(knownKeys([file], host, port).length > 0).toBe(keygenFinds(file, name));
});

test("a hashed line is found, and ssh-keygen finds a new one", () => {
  const file = join(folder, "hashed");
  remember(file, "example.com", 2222, Buffer.from(KEY, "base64"), true);
  expect(readFileSync(file, "utf8")).toMatch(/^\|1\|/);
  expect(knownKeys([file], "example.com", 2222)).toHaveLength(1);
  expect(keygenFinds(file, "[example.com]:2222")).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("revoked keys and keys of authorities are marked", () => {
  const file = join(folder, "marked");
  writeFileSync(file, `@revoked example.com ssh-ed25519 ${KEY}\n@cert-authority *.example.com ssh-ed25519 ${KEY}\n`);
  expect(knownKeys([file], "example.com", 22)).toMatchObject([{ revoked: true, authority: false, line: 1 }]);
  expect(knownKeys([file], "web.example.com", 22)).toMatchObject([{ revoked: false, authority: true, line: 2 }]);
});

function keygenFinds(file: string, name: string): boolean {
  try {
    execFileSync("ssh-keygen", ["-F", name, "-f", file], { stdio: "pipe" });
    return true;
  } catch {
    return false;
  }
}
