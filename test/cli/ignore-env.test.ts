import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mrsk, project } from "../support/cli.ts";

const text = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");

test("init keeps .env files out of git and of images, and does so once", async () => {
  const folder = project({});
  expect((await mrsk(folder, "init")).stdout).toContain("Added .env* to .gitignore\nAdded .env* to .dockerignore\n");
  expect(text(folder, ".gitignore")).toBe(".env*\n!.env.example\n!.env*.erb\n");
  expect(text(folder, ".dockerignore")).toBe(".env*\n!.env.example\n");
  expect(statSync(join(folder, ".env")).mode & 0o777).toBe(0o600);
  expect((await mrsk(folder, "init")).stdout).not.toContain(".gitignore");
  expect(text(folder, ".gitignore")).toBe(".env*\n!.env.example\n!.env*.erb\n");
});

test.each([
  ["a last line without a newline", "node_modules", "node_modules\n.env*\n!.env.example\n!.env*.erb\n"],
  ["CRLF", "log\r\n", "log\r\n.env*\r\n!.env.example\r\n!.env*.erb\r\n"],
  ["an exception", ".env\n!.env.test\n", ".env\n!.env.test\n.env*\n!.env.test\n!.env.example\n!.env*.erb\n"],
  ["the pattern of Rails", "/.env*\n", "/.env*\n"],
  ["the pattern already", "**/.env*\n", "**/.env*\n"],
])(".gitignore keeps its lines, with %s", async (_, before, after) => {
  const folder = project({ ".gitignore": before });
  await mrsk(folder, "init");
  expect(text(folder, ".gitignore")).toBe(after);
});

test("git ignores files with secrets, and not the examples and templates", async () => {
  const folder = project({ ".env.example": "", ".env.erb": "", ".env.staging": "", ".env.staging.erb": "" });
  execFileSync("git", ["-C", folder, "init", "--quiet"]);
  await mrsk(folder, "init");
  writeFileSync(join(folder, ".env.new"), "");
  const seen = execFileSync("git", ["-C", folder, "ls-files", "--others", "--exclude-standard"], { encoding: "utf8" });
  expect(seen.split("\n").filter((name) => name.startsWith(".env"))).toEqual([
    ".env.erb",
    ".env.example",
    ".env.staging.erb",
  ]);
});
