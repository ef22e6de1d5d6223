import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  canaryVersion,
  forgetVersion,
  recordVersion,
  liveVersions,
  isVersionsFileFull,
  versionsFile,
  printVersions,
} from "../../src/commands/versions.ts";
import { config, line, runnable } from "../support/config.ts";

const entry = (version: string, canary = false) => ({
  at: "2026-01-02T03:04:05Z",
  version,
  performer: "A  Person",
  canary,
});

test("versions are recorded, separately from canaries, and removed if they did not stay live", () => {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-releases-"));
  const run = (body: Parameters<typeof line>[0]) => execFileSync("sh", ["-ec", runnable(body)], { cwd: folder });
  const text = () => readFileSync(join(folder, ".mrsk/releases-app"), "utf8");
  run(recordVersion(config(), entry("1"), { full: false }));
  expect(canaryVersion(text())).toBeUndefined();
  run(recordVersion(config(), entry("2", true), { full: false }));
  expect(text()).toBe("1\t2026-01-02T03:04:05Z\t1\tA Person\n1\t2026-01-02T03:04:05Z\t2\tA Person\tcanary\n");
  expect(liveVersions(text())).toEqual(["1"]);
  expect(canaryVersion(text())).toBe("2");
  run(forgetVersion(config(), "1"));
  expect(canaryVersion(text())).toBe("2");
  run(forgetVersion(config(), "2"));
  expect(canaryVersion(text())).toBeUndefined();
  expect(liveVersions(text())).toEqual(["1"]);
});

test("a file with many lines is truncated, and no recent version is lost", () => {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-releases-"));
  const run = (body: Parameters<typeof line>[0]) =>
    execFileSync("sh", ["-ec", runnable(body)], { cwd: folder, encoding: "utf8" });
  const file = versionsFile(config());
  for (let i = 0; i < 120; i++) {
    const full = isVersionsFileFull(run(printVersions(file)));
    expect(full).toBe(i === 100);
    run(recordVersion(config(), entry(String(i)), { full }));
  }
  const left = liveVersions(readFileSync(join(folder, file), "utf8"));
  expect(left).toEqual(Array.from({ length: 70 }, (_, i) => String(i + 50)));
});

test.each(["", "2\tnow\t3\tA\tcanary\n"])("%j has no canary", (text) => {
  expect(canaryVersion(text)).toBeUndefined();
});
