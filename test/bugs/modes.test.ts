import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AccessoryCommands } from "../../src/commands/accessory.ts";
import { record } from "../../src/commands/auditor.ts";
import { script, step } from "../../src/script/script.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { accessory, config } from "../support/config.ts";
import { machine } from "../support/fake-docker.ts";

// Other users can never read a secret, not even while it is written.

test("an uploaded file is private to the login user before it has any content", async () => {
  const { host, home } = machine();
  const base64 = '#!/bin/sh\nstat -c %a app-db/etc/key.new >>seen\nexec /usr/bin/base64 "$@"\n';
  writeFileSync(join(home, "bin/base64"), base64);
  chmodSync(join(home, "bin/base64"), 0o755);
  mkdirSync(join(home, "app-db/etc"), { recursive: true });
  writeFileSync(join(home, "app-db/etc/key.new"), "left by an upload that was cut off", { mode: 0o644 });
  const upload = (mode: string) =>
    new AccessoryCommands(config(), accessory()).upload("/etc/key", mode, new Secret("key", "c2VjcmV0"));
  await host.run(script("Upload", [step("As 600", upload("600"))]));
  expect(statSync(join(home, "app-db/etc/key")).mode & 0o777).toBe(0o600);
  await host.run(script("Upload", [step("As 644", upload("644"))]));
  expect(statSync(join(home, "app-db/etc/key")).mode & 0o777).toBe(0o644);
  expect(readFileSync(join(home, "seen"), "utf8")).toBe("600\n600\n");
  expect(readFileSync(join(home, "app-db/etc/key"), "utf8")).toBe("secret");
});

test("a new audit log is private to the login user, and later files have the usual modes", async () => {
  const { host, home } = machine();
  const entry = { at: "2026-01-02T03:04:05Z", performer: "ann", text: "Executed cmd 'x'" };
  const steps = [step("Audit", record(config(), entry)), step("Make a folder", ["mkdir", "folder"])];
  await host.run(script("Audit", steps));
  expect(statSync(join(home, "mrsk-app-audit.log")).mode & 0o777).toBe(0o600);
  expect(statSync(join(home, "folder")).mode & 0o777).toBe(0o777 & ~process.umask());
});
