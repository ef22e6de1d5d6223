import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mrsk, project } from "../support/cli.ts";

const text = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");

const GIT = ".env*\n!.env.example\n!.env*.erb\n";
const KAMAL = ".kamal/secrets*\n!.kamal/secrets.example\n";

test("init keeps files with secrets out of git and of images, and does so once", async () => {
  const folder = project({});
  await mrsk(folder, "init");
  expect(text(folder, ".gitignore")).toBe(GIT + KAMAL);
  expect(text(folder, ".dockerignore")).toBe(`.env*\n!.env.example\n${KAMAL}`);
  expect(statSync(join(folder, ".kamal/secrets")).mode & 0o777).toBe(0o600);
  expect((await mrsk(folder, "init")).stdout).not.toContain(".gitignore");
  expect(text(folder, ".gitignore")).toBe(GIT + KAMAL);
});

test("in a project with a configuration, or with secrets of Kamal, init adds the lines for .env alone", async () => {
  for (const files of [{ "config/deploy.yml": "" }, { ".kamal/secrets": "A=$A" }]) {
    const folder = project(files);
    expect((await mrsk(folder, "init")).stdout).toContain("Added .env* to .gitignore\nAdded .env* to .dockerignore\n");
    expect(text(folder, ".gitignore")).toBe(GIT);
  }
});

test.each([
  ["a last line without a newline", "node_modules", `node_modules\n${GIT}${KAMAL}`],
  ["CRLF", "log\r\n", `log\r\n${(GIT + KAMAL).replaceAll("\n", "\r\n")}`],
  ["an exception", ".env\n!.env.test\n", `.env\n!.env.test\n.env*\n!.env.test\n!.env.example\n!.env*.erb\n${KAMAL}`],
  ["the pattern of Rails", "/.env*\n", `/.env*\n${KAMAL}`],
  ["the pattern already", "**/.env*\n.kamal/secrets*\n", "**/.env*\n.kamal/secrets*\n"],
  ["the folder of Kamal already", ".env*\n/.kamal/\n", ".env*\n/.kamal/\n"],
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
  for (const name of ["secrets.staging", "secrets-common", "secrets.example"])
    writeFileSync(join(folder, ".kamal", name), "");
  const seen = execFileSync("git", ["-C", folder, "ls-files", "--others", "--exclude-standard"], { encoding: "utf8" });
  expect(seen.split("\n").filter((name) => /^\.(?:env|kamal\/secrets)/.test(name))).toEqual([
    ".env.erb",
    ".env.example",
    ".env.staging.erb",
    ".kamal/secrets.example",
  ]);
});
