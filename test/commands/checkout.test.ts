import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { checkOut, cloneFolder, projectIn } from "../../src/commands/checkout.ts";
import { line } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "mrsk-checkout-"));
const repository = join(folder, "it's a repository");
let revision = "";
let clones = 0;

function git(cwd: string, ...words: string[]): string {
  const settings = ["user.name=T", "user.email=t@example.com", "protocol.file.allow=always"];
  const given = settings.flatMap((setting) => ["-c", setting]);
  return execFileSync("git", [...given, ...words], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

function newRepository(path: string, files: Record<string, string>): void {
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  git(path, "init", "-q");
  git(path, "add", "-A");
  git(path, "commit", "-qm", "first");
}

/** Clones as a build does, from `cwd`. @returns where the project is in the clone, and what was said */
function clone(cwd: string, environment: Record<string, string> = {}): { path: string; said: string } {
  const place = cloneFolder("app", `${clones++}`);
  const script = `set -e\n${line(checkOut(revision, place))}\necho ${line(projectIn(place))}`;
  const env = { ...process.env, TMPDIR: folder, ...environment };
  const said = execFileSync("/bin/sh", ["-c", script], { cwd, encoding: "utf8", env }).trim().split("\n");
  return { path: said.at(-1)!, said: said.slice(0, -1).join("\n") };
}

beforeAll(() => {
  newRepository(join(folder, "inner"), { "inner.txt": "inner" });
  newRepository(join(folder, "library"), { "library.txt": "committed" });
  git(join(folder, "library"), "submodule", "add", "-q", join(folder, "inner"), "inner");
  git(join(folder, "library"), "commit", "-qam", "with a submodule");
  newRepository(repository, { "app.txt": "committed", "web/page.txt": "committed" });
  git(repository, "submodule", "add", "-q", join(folder, "library"), "lib/a b");
  git(repository, "submodule", "add", "-q", join(folder, "inner"), "absent");
  git(repository, "submodule", "update", "-q", "--init", "--recursive");
  git(repository, "commit", "-qam", "with submodules");
  git(repository, "submodule", "deinit", "-f", "absent");
  revision = git(repository, "rev-parse", "HEAD");
  // None of this is committed.
  writeFileSync(join(repository, "app.txt"), "changed");
  writeFileSync(join(repository, "new.txt"), "new");
  writeFileSync(join(repository, "lib/a b/library.txt"), "changed");
});

test("the clone has the commit, its submodules in their commits, and nothing else", () => {
  const { path, said } = clone(repository);
  expect(readFileSync(join(path, "app.txt"), "utf8")).toBe("committed");
  expect(existsSync(join(path, "new.txt"))).toBe(false);
  expect(readFileSync(join(path, "lib/a b/library.txt"), "utf8")).toBe("committed");
  expect(readFileSync(join(path, "lib/a b/inner/inner.txt"), "utf8")).toBe("inner");
  expect(git(path, "rev-parse", "HEAD")).toBe(revision);
  expect(said).toBe("The submodule absent is not checked out here, so the build goes without it");
});

test("a project that is a part of its repository is built there", () => {
  const { path } = clone(join(repository, "web"));
  expect(readFileSync(join(path, "page.txt"), "utf8")).toBe("committed");
});

test("a commit that is no longer HEAD is cloned too, also from within a git hook", () => {
  git(repository, "commit", "-qam", "later");
  const { path } = clone(repository, { GIT_INDEX_FILE: ".git/index", GIT_DIR: ".git" });
  expect(git(path, "rev-parse", "HEAD")).toBe(revision);
  expect(readFileSync(join(path, "app.txt"), "utf8")).toBe("committed");
});

test("a shallow repository is cloned as well", () => {
  const shallow = join(folder, "shallow");
  git(folder, "clone", "-q", "--depth", "1", `file://${repository}`, shallow);
  const before = revision;
  revision = git(shallow, "rev-parse", "HEAD");
  const { path } = clone(shallow);
  expect(readFileSync(join(path, "app.txt"), "utf8")).toBe("changed");
  revision = before;
});
