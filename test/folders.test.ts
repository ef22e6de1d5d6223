import { mkdtempSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeFolders } from "../src/folders.ts";
import { remember } from "../src/ssh/host-keys/known-hosts.ts";

const key = Buffer.from("0000000b7373682d6564323535313900000000", "hex");

test.each(["/proc/nope", "/proc/nope/x/y", "/proc/self/fd/none/x"])("making a folder is an error: %s", (path) => {
  expect(() => makeFolders(path, 0o700)).toThrow("ENOENT");
  expect(() => remember(join(path, "known_hosts"), "host", 22, key, false)).toThrow("ENOENT");
});

test("folders are made with their mode, and may exist already", () => {
  const folder = mkdtempSync(join(tmpdir(), "folders-"));
  makeFolders(join(folder, "a/b/c"), 0o700);
  expect(statSync(join(folder, "a/b")).mode & 0o777).toBe(0o700);
  makeFolders(join(folder, "a/b/c"), 0o700);
  symlinkSync(join(folder, "a"), join(folder, "link"));
  makeFolders(join(folder, "link/d"), 0o700);
  expect(statSync(join(folder, "a/d")).isDirectory()).toBe(true);
  writeFileSync(join(folder, "file"), "");
  expect(() => makeFolders(join(folder, "file/x"), 0o700)).toThrow("ENOTDIR");
});
