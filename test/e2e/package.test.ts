import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

/** The bundled packages, direct and indirect. */
const BUNDLED = ["@ruby/prism", "chalk", "commander", "dotenv", "execa", "isexe", "ssh2", "tweetnacl", "yaml", "zod"];

test("the package from npm pack has no dependencies, contains their licences, and runs after the installation", async () => {
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
  const modules = join(prefix, "lib/node_modules");
  expect(readdirSync(modules)).toEqual(["mrsk"]);
  expect(readdirSync(join(modules, "mrsk"))).not.toContain("node_modules");
  expect(weight(join(modules, "mrsk"))).toBeLessThan(2_500_000);
  const licences = readFileSync(join(modules, "mrsk/dist/LICENSES.txt"), "utf8");
  for (const name of BUNDLED) expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
  const mrsk = (...words: string[]) =>
    execa(join(prefix, "bin/mrsk"), words, { cwd: folder, env: { SERVICE: "from-erb" } });
  expect((await mrsk("version")).stdout).toMatch(/^\d+\.\d+\.\d+$/);
  expect((await mrsk("init")).stdout).toContain("Created configuration file");
  expect((await mrsk("docs", "hooks")).stdout).toMatch(/^# Hooks\n/);
  mkdirSync(join(folder, "config"), { recursive: true });
  writeFileSync(
    join(folder, "config/erb.yml"),
    'service: <%= ENV["SERVICE"] %>\nimage: a/b\nservers: [192.0.2.1]\nregistry: {username: u, password: [P]}\n',
  );
  expect((await mrsk("config", "-c", "config/erb.yml", "--version", "1")).stdout).toContain("from-erb");
});

/** In bytes. */
function weight(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => statSync(join(folder, path)));
  return files.filter((file) => file.isFile()).reduce((sum, { size }) => sum + size, 0);
}
