import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Secret } from "../../src/config/env/secret.ts";
import { removeLiveFile, writeLiveFile, writePrivateLiveFile } from "../../src/commands/write-live-file.ts";
import { call } from "../../src/script/call.ts";
import { lines, redact, type Shell, sh } from "../../src/script/command.ts";
import { script, secretsOfScript, step } from "../../src/script/script.ts";
import { fake, folder, run, runSecret } from "../support/fake-commands.ts";

test("a live file is written next to the directory and moved in", () => {
  const text = "a: '$x' {{`{{`}} é\n";
  expect(run(writeLiveFile("run dir/traefik", "app-web", text)).status).toBe(0);
  expect(readFileSync(join(folder(), "run dir/traefik/app-web.yml"), "utf8")).toBe(text);
  expect(readdirSync(join(folder(), "run dir"))).toEqual(["traefik"]);
  expect(readdirSync(join(folder(), "run dir/traefik"))).toEqual(["app-web.yml"]);
  run(removeLiveFile("run dir/traefik", "app-web"));
  expect(readdirSync(join(folder(), "run dir/traefik"))).toEqual([]);
});

test("a failed write keeps the previous live file", () => {
  run(writeLiveFile("run/traefik", "app-web", "before"));
  mkdirSync(join(folder(), "run/.app-web.new"));
  const result = run(writeLiveFile("run/traefik", "app-web", "after"));
  expect(result.status).toBe(1);
  expect(result.stderr).toContain(".app-web.new");
  expect(readFileSync(join(folder(), "run/traefik/app-web.yml"), "utf8")).toBe("before");
});

const key = new Secret("the certificate file", "tls: a key\n");
const mode = (path: string) => (statSync(join(folder(), path)).mode & 0o777).toString(8);
const writePrivate = (): Shell => writePrivateLiveFile("run/traefik", "app-web@tls", key);

test("a private live file is readable for its owner alone, also over one that others could read", () => {
  expect(runSecret(writePrivate())).toMatchObject({ status: 0, stdout: "" });
  expect(mode("run/traefik/app-web@tls.yml")).toBe("600");
  expect(readFileSync(join(folder(), "run/traefik/app-web@tls.yml"), "utf8")).toBe("tls: a key\n");
  run(writeLiveFile("run/traefik", "app-web", "a"));
  expect(mode("run/traefik/app-web.yml")).toBe("644");
  chmodSync(join(folder(), "run/traefik/app-web@tls.yml"), 0o644);
  writeFileSync(join(folder(), "run/.app-web@tls.new"), "of an interrupted run");
  expect(runSecret(writePrivate()).status).toBe(0);
  expect(mode("run/traefik/app-web@tls.yml")).toBe("600");
});

test("a private live file has its mode before `tee` writes to it, with sudo", () => {
  fake("sudo", `shift; echo "$*" >>calls; exec "$@"`);
  fake("tee", `stat -c %a "$1" >mode; exec /usr/bin/tee "$@"`);
  // Another user's directory: root can write everywhere.
  const other = call("find_writer", "run/traefik");
  const body = lines(other, sh`find_writer() { nearest=$1; writer=other; }`, writePrivate());
  expect(runSecret(body)).toMatchObject({ status: 0, stdout: "" });
  expect(readFileSync(join(folder(), "mode"), "utf8")).toBe("600\n");
  expect(mode("run/traefik/app-web@tls.yml")).toBe("600");
  expect(readFileSync(join(folder(), "run/traefik/app-web@tls.yml"), "utf8")).toBe("tls: a key\n");
  expect(readFileSync(join(folder(), "calls"), "utf8")).not.toContain("a key");
});

test("the text of a private live file is a secret of its script, and masked in the log", () => {
  const body = writePrivate();
  expect(redact(body)).toBe("write_live_file run/traefik app-web@tls [REDACTED] private");
  expect(secretsOfScript(script("Test", [step("write", body)]))).toEqual([key]);
});

test("the content of a certificate file, which may be a key, is not read back", () => {
  run(writeLiveFile("run/traefik", "app-web", "text"));
  run(writeLiveFile("run/traefik", "app-web-x.tls", "text"));
  runSecret(writePrivate());
  const listed = run(call("print_live_files", "app", "run", `live ${folder()}/run/traefik`, "")).stdout;
  expect(listed).toBe(`${folder()}/run/traefik\nwritable\napp-web-x.tls\n dGV4dA==\napp-web\n dGV4dA==\napp-web@tls\n`);
});

test.each([
  ["/", "/"],
  ["/no/such/place", "/"],
  ["/tmp/no such/place/", "/tmp"],
  ["there/no/such", "there"],
  ["no/such", "."],
  ["nosuch", "."],
])("the nearest existing path of %s is %s", (path, nearest) => {
  mkdirSync(join(folder(), "there"));
  expect(run(lines(call("find_nearest", path), sh`printf %s "$nearest"`)).stdout).toBe(nearest);
});
