import { expect, test } from "vitest";
import { deadlineSeconds, healthFlags, probeUrl } from "../../src/commands/healthcheck.ts";
import {
  auditFile,
  containerName,
  containerPrefix,
  hostPart,
  image,
  latestImage,
  lockDirectory,
  versionOf,
} from "../../src/commands/names.ts";
import { login, logout } from "../../src/commands/registry.ts";
import { Secret } from "../../src/config/env/secret.ts";
import { config, line, role } from "../support/config.ts";

const staging = config({ destination: "staging" });

test("names", () => {
  expect([
    containerName(config(), role(), "999"),
    containerName(staging, role(), "999"),
    containerPrefix(staging, role()),
    image(config(), "999"),
    latestImage(config()),
    auditFile(config()),
    auditFile(staging),
    lockDirectory(config()),
    lockDirectory(staging),
  ]).toEqual([
    "app-web-999",
    "app-web-staging-999",
    "app-web-staging",
    "dhh/app:999",
    "dhh/app:latest",
    "mrsk-app-audit.log",
    "mrsk-app-staging-audit.log",
    ".mrsk/lock-app",
    ".mrsk/lock-app-staging",
  ]);
});

test.each([
  ["app-web-v1-rc1", "v1-rc1"],
  ["app-web-999_replaced_0123456789abcdef", "999"],
  ["app-webber-999", undefined],
  ["other", undefined],
])("the version of %s is %s", (name, version) => {
  expect(versionOf("app-web", name)).toBe(version);
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["deploy@host.example.com:2222", "host.example.com"],
  ["[2001:db8::1]:22", "2001:db8::1"],
  ["deploy@[2001:db8::1]", "2001:db8::1"],
  ["2001:db8::1", "2001:db8::1"],
])("the host part of %s is %s", (host, expected) => {
  expect(hostPart(host)).toBe(expected);
});

const check = role().healthcheck!;

test.each([
  [{}, "http://localhost:3000/up"],
  [{ path: "up?deep=1" }, "http://localhost:3000/up?deep=1"],
  [{ port: 80 }, "http://localhost/up"],
  [{ path: "http://other:81/x" }, "http://other:81/x"],
])("the URL of a health check is joined as a reference: %j", (overrides, expected) => {
  expect(probeUrl({ ...check, ...overrides })).toBe(expected);
});

test("a configured command replaces curl", () => {
  expect(line(healthFlags({ ...check, cmd: "bin/alive x", interval: "3s" }, { startInterval: false }))).toBe(
    "--health-cmd 'bin/alive x' --health-interval 3s",
  );
});

test("the deadline is that of MRSK's polling: 1 + 2 + … seconds, or that many intervals if longer", () => {
  expect(deadlineSeconds(check)).toBe(28);
  expect(deadlineSeconds({ ...check, maxAttempts: 3, intervalSeconds: 10 })).toBe(30);
});

test("the registry's password goes to standard input", () => {
  const user = new Secret("user", "u");
  const password = new Secret("password", "p");
  const registry = { ...config().registry, server: "ghcr.io" };
  expect(line(login(registry, user, password))).toBe(
    "printf '%s' <password> | docker login ghcr.io -u <user> --password-stdin",
  );
  expect(line(login(config().registry, user, password))).toBe(
    "printf '%s' <password> | docker login -u <user> --password-stdin",
  );
  expect(line(logout(registry))).toBe("docker logout ghcr.io");
  expect(line(logout(config().registry))).toBe("docker logout");
});
