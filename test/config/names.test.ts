import { expect, test } from "vitest";
import {
  auditFile,
  containerName,
  containerPrefix,
  hostPart,
  image,
  latestImage,
  lockDirectory,
  versionOf,
} from "../../src/config/names.ts";
import { config, role } from "../support/config.ts";

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
