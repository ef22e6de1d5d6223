import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Repositories, write } from "../support/repository.ts";

const repositories = new Repositories();
const { folder, git } = { folder: repositories.folder, git: repositories.git.bind(repositories) };
const repository = join(folder, "it's a repository");
let revision = "";

beforeAll(() => {
  const inner = repositories.make("inner", { "inner.txt": "inner" });
  const library = repositories.make("library", { "library.txt": "committed" });
  git(library, "submodule", "add", "-q", inner, "inner");
  repositories.commit(library, "with a submodule");
  repositories.make("it's a repository", { "app.txt": "committed", "web/page.txt": "committed" });
  git(repository, "submodule", "add", "-q", library, "lib/a b");
  git(repository, "submodule", "add", "-q", inner, "absent");
  git(repository, "submodule", "update", "-q", "--init", "--recursive");
  repositories.commit(repository, "with submodules");
  git(repository, "submodule", "deinit", "-f", "absent");
  revision = repositories.head(repository);
  // These changes are not committed.
  write(repository, { "app.txt": "changed", "new.txt": "new", "lib/a b/library.txt": "changed" });
});

test("the clone has the commit, its submodules at their commits, and nothing else", () => {
  const { path, printed, stderr, status } = repositories.clone(repository);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(join(path, "app.txt"), "utf8")).toBe("committed");
  expect(existsSync(join(path, "new.txt"))).toBe(false);
  expect(readFileSync(join(path, "lib/a b/library.txt"), "utf8")).toBe("committed");
  expect(readFileSync(join(path, "lib/a b/inner/inner.txt"), "utf8")).toBe("inner");
  expect(git(path, "rev-parse", "HEAD")).toBe(revision);
  expect(git(path, "status", "--porcelain")).toBe("");
  expect(printed).toBe("The submodule absent is not checked out here, so the build does not have it");
});

test("a project in a subdirectory of its repository is built there", () => {
  const { path } = repositories.clone(join(repository, "web"));
  expect(readFileSync(join(path, "page.txt"), "utf8")).toBe("committed");
});

test("a commit that is no longer HEAD is cloned too, also inside a git hook", () => {
  git(repository, "commit", "-qam", "later");
  const environment = { GIT_INDEX_FILE: ".git/index", GIT_DIR: ".git", GIT_WORK_TREE: "." };
  const { path } = repositories.clone(repository, { revision, environment });
  expect(git(path, "rev-parse", "HEAD")).toBe(revision);
  expect(readFileSync(join(path, "app.txt"), "utf8")).toBe("committed");
});

test("a repository apart from its work tree is cloned if the environment names both", () => {
  const place = repositories.make("place", { "app.txt": "committed" });
  const apart = join(folder, "apart.git");
  renameSync(join(place, ".git"), apart);
  const environment = { GIT_DIR: apart, GIT_WORK_TREE: place };
  const { path, stderr } = repositories.clone(place, { revision: repositories.head(apart), environment });
  expect(stderr).toBe("");
  expect(readFileSync(join(path, "app.txt"), "utf8")).toBe("committed");
});

test("a shallow repository is cloned as well", () => {
  repositories.settings({ "clone.rejectShallow": "true" });
  const shallow = join(folder, "shallow");
  git(folder, "-c", "clone.rejectShallow=false", "clone", "-q", "--depth", "1", `file://${repository}`, shallow);
  const { path } = repositories.clone(shallow);
  expect(readFileSync(join(path, "app.txt"), "utf8")).toBe("changed");
  repositories.settings({});
});

test("a clone of a repository with alternate objects has its own copies of them", () => {
  const borrower = join(folder, "borrower");
  git(folder, "clone", "-q", "--shared", repository, borrower);
  const { path, stderr } = repositories.clone(borrower);
  expect(stderr).toBe("");
  expect(existsSync(join(path, ".git/objects/info/alternates"))).toBe(false);
  expect(git(path, "rev-list", "--objects", "--missing=print", "HEAD")).not.toMatch(/^\?/m);
});

test("a worktree is cloned at its own commit, with its own settings", () => {
  const worktree = join(folder, "worktree");
  git(repository, "config", "extensions.worktreeConfig", "true");
  git(repository, "worktree", "add", "-q", "--detach", worktree, revision);
  git(worktree, "config", "--worktree", "core.autocrlf", "true");
  writeFileSync(join(worktree, "line.txt"), "one\n");
  repositories.commit(worktree, "in the worktree");
  const { path } = repositories.clone(worktree);
  expect(git(path, "rev-parse", "HEAD")).toBe(repositories.head(worktree));
  expect(readFileSync(join(path, "line.txt"), "utf8")).toBe("one\r\n");
});

test("a submodule whose commit is missing stops the build", () => {
  const inner = join(folder, "inner");
  const outer = repositories.make("outer", { "outer.txt": "outer" });
  git(outer, "submodule", "add", "-q", inner, "inner");
  git(outer, "update-index", "--cacheinfo", `160000,${"1".repeat(40)},inner`);
  git(outer, "commit", "-qm", "a commit that the submodule lacks");
  const { status, stderr } = repositories.clone(outer);
  expect(status).not.toBe(0);
  expect(stderr).toContain(`fatal: failed to unpack tree object ${"1".repeat(40)}`);
});
