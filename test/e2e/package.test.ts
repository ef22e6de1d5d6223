import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

test("the package that npm packs runs where it is installed, templates and ERB included", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-package-"));
  const { stdout } = await execa("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], {
    cwd: ROOT,
  });
  const prefix = join(folder, "global");
  await execa("npm", [
    "install",
    "--global",
    "--prefix",
    prefix,
    "--no-audit",
    "--no-fund",
    join(folder, stdout.trim().split("\n").at(-1)!),
  ]);
  const mrsk = (...words: string[]) =>
    execa(join(prefix, "bin/mrsk"), words, { cwd: folder, env: { SERVICE: "from-erb" } });
  expect((await mrsk("version")).stdout).toMatch(/^\d+\.\d+\.\d+$/);
  expect((await mrsk("init")).stdout).toContain("Created configuration file");
  mkdirSync(join(folder, "config"), { recursive: true });
  writeFileSync(
    join(folder, "config/erb.yml"),
    'service: <%= ENV["SERVICE"] %>\nimage: a/b\nservers: [192.0.2.1]\nregistry: {username: u, password: [P]}\n',
  );
  expect((await mrsk("config", "-c", "config/erb.yml", "--version", "1")).stdout).toContain("from-erb");
});
