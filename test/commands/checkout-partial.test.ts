import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Repositories, treeOf } from "../support/repository.ts";

const repositories = new Repositories();
const { folder, git } = { folder: repositories.folder, git: repositories.git.bind(repositories) };
const WHOLE = [
  '100644 Dockerfile "FROM scratch"',
  '100644 app/code.txt "code"',
  '100644 docs/a b.txt "changed"',
  '100644 docs/page.txt "page"',
];
let upstream = "";

beforeAll(() => {
  const files = { Dockerfile: "FROM scratch", "app/code.txt": "code", "docs/a b.txt": "a", "docs/page.txt": "page" };
  upstream = repositories.make("upstream", files);
  repositories.git(upstream, "config", "uploadpack.allowFilter", "true");
  repositories.git(upstream, "config", "uploadpack.allowAnySHA1InWant", "true");
  repositories.git(upstream, "rm", "-q", "docs/a b.txt");
  repositories.commit(upstream, "without");
  repositories.git(upstream, "checkout", "-q", "HEAD~1", "docs/a b.txt");
  repositories.git(upstream, "commit", "-qm", "with");
});

let partials = 0;

/** A partial clone with only the folder `app` checked out, as in a CI job. */
function partial(options: readonly string[], patterns: readonly string[] = ["app"]): string {
  const path = join(folder, `partial-${partials++}`);
  git(folder, "clone", "-q", "--no-checkout", ...options, `file://${upstream}`, path);
  git(path, "sparse-checkout", "set", ...patterns);
  git(path, "checkout", "-q", "main");
  return path;
}

const missing = (path: string) =>
  git(path, "rev-list", "--objects", "--no-walk", "--missing=print", "HEAD")
    .split("\n")
    .filter((line) => line.startsWith("?"));

test.each([
  [["--filter=blob:none"]],
  [["--filter=blob:none", "--depth=1"]],
  [["--filter=blob:none", "--depth=2"]],
  [["--filter=tree:0"]],
  [["--filter=tree:0", "--depth=1"]],
  [["--filter=blob:none", "--sparse"]],
  [[]],
])("a sparse checkout of a clone with %j builds every file", (options) => {
  const path = partial(options);
  expect(treeOf(path).join()).not.toContain("docs/page.txt");
  const { path: clone, status, stderr } = repositories.clone(path);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(treeOf(clone)).toEqual(WHOLE.map((line) => line.replace("changed", "a")));
  expect(missing(clone)).toEqual([]);
  expect(git(clone, "rev-parse", "HEAD")).toBe(repositories.head(upstream));
  expect(git(clone, "status", "--porcelain")).toBe("");
  expect(
    git(clone, "ls-files", "-t")
      .replace(/^H .*$/gm, "")
      .trim(),
  ).toBe("");
  expect(git(clone, "config", "--default", "unset", "core.sparseCheckout")).toBe("unset");
  expect(existsSync(join(clone, ".git/info/sparse-checkout"))).toBe(false);
  // The sparse checkout itself remains sparse.
  expect(git(path, "status", "--porcelain")).toBe("");
  expect(treeOf(path).join()).not.toContain("docs/page.txt");
});

test("sparse patterns that are no folders are not copied either", () => {
  const path = partial(["--filter=blob:none"], ["--no-cone", "/Dockerfile"]);
  expect(treeOf(repositories.clone(path).path)).toHaveLength(4);
});

test.each([[[]], [["--depth=1"]]])("an object that the remote no longer has stops the build: %j", (options) => {
  const path = partial(["--filter=blob:none", ...options]);
  renameSync(upstream, `${upstream}-away`);
  const { status, stderr } = repositories.clone(path);
  renameSync(`${upstream}-away`, upstream);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/could not fetch [0-9a-f]{40} from promisor remote/);
});

test("a lost object stops the build", () => {
  const path = repositories.make("damaged", { "kept.txt": "kept", "lost.txt": "lost" });
  const object = git(path, "rev-parse", "HEAD:lost.txt");
  rmSync(join(path, ".git/objects", object.slice(0, 2), object.slice(2)));
  const { status, stderr } = repositories.clone(path);
  expect(status).not.toBe(0);
  expect(stderr).toContain(`unable to read sha1 file of lost.txt (${object})`);
});
