import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  canaryRelease,
  forgetRelease,
  recordRelease,
  releasedVersions,
  releasesAreMany,
  releasesFile,
  showReleases,
} from "../../src/commands/releases.ts";
import { config, line, runnable } from "../support/config.ts";

const entry = (version: string, canary = false) => ({
  at: "2026-01-02T03:04:05Z",
  version,
  performer: "A  Person",
  canary,
});

test("releases are recorded, told apart from trials, and forgotten where they did not stay", () => {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-releases-"));
  const run = (body: Parameters<typeof line>[0]) => execFileSync("sh", ["-ec", runnable(body)], { cwd: folder });
  const text = () => readFileSync(join(folder, ".mrsk/releases-app"), "utf8");
  run(recordRelease(config(), entry("1"), { full: false }));
  expect(canaryRelease(text())).toBeUndefined();
  run(recordRelease(config(), entry("2", true), { full: false }));
  expect(text()).toBe("1\t2026-01-02T03:04:05Z\t1\tA Person\n1\t2026-01-02T03:04:05Z\t2\tA Person\tcanary\n");
  expect(releasedVersions(text())).toEqual(["1"]);
  expect(canaryRelease(text())).toBe("2");
  run(forgetRelease(config(), "1"));
  expect(canaryRelease(text())).toBe("2");
  run(forgetRelease(config(), "2"));
  expect(canaryRelease(text())).toBeUndefined();
  expect(releasedVersions(text())).toEqual(["1"]);
});

test("a file with many lines is made shorter, and no version of late is lost", () => {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-releases-"));
  const run = (body: Parameters<typeof line>[0]) =>
    execFileSync("sh", ["-ec", runnable(body)], { cwd: folder, encoding: "utf8" });
  const file = releasesFile(config());
  for (let i = 0; i < 120; i++) {
    const full = releasesAreMany(run(showReleases(file)));
    expect(full).toBe(i === 100);
    run(recordRelease(config(), entry(String(i)), { full }));
  }
  const left = releasedVersions(readFileSync(join(folder, file), "utf8"));
  expect(left).toEqual(Array.from({ length: 70 }, (_, i) => String(i + 50)));
});

test.each(["", "2\tnow\t3\tA\tcanary\n"])("%j holds no trial", (text) => {
  expect(canaryRelease(text)).toBeUndefined();
});
