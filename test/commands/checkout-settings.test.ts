import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { Repositories, treeOf, write } from "../support/repository.ts";

const repositories = new Repositories();
const { folder, git } = { folder: repositories.folder, git: repositories.git.bind(repositories) };
let made = 0;

beforeEach(() => repositories.settings({}));

interface Setup {
  /** Committed. */
  readonly files?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  /** `.git/info/attributes`. */
  readonly attributes?: string;
}

function repository({ files = {}, settings = {}, attributes }: Setup): string {
  const path = repositories.make(`settings ${made++}`, { "text.txt": "one\ntwo\n", ...files });
  for (const [name, value] of Object.entries(settings)) git(path, "config", name, value);
  if (attributes !== undefined) write(path, { ".git/info/attributes": `${attributes}\n` });
  return path;
}

/** The files that git itself checks out of the repository, in another folder. */
function checkedOut(path: string): string[] {
  const worktree = join(folder, `worktree ${made++}`);
  git(path, "worktree", "add", "-q", "--detach", worktree);
  return treeOf(worktree);
}

const upper = { "filter.upper.smudge": "tr a-z A-Z", "filter.upper.clean": "tr A-Z a-z" };

test.each<[string, Setup, string]>([
  ["core.autocrlf", { settings: { "core.autocrlf": "true" } }, "one\r\ntwo\r\n"],
  ["core.eol and attributes in .git", { settings: { "core.eol": "crlf" }, attributes: "* text" }, "one\r\ntwo\r\n"],
  ["attributes in .git alone", { attributes: "*.txt eol=crlf" }, "one\r\ntwo\r\n"],
  [
    "attributes in .git over committed ones",
    { files: { ".gitattributes": "* eol=crlf\n" }, attributes: "* -text" },
    "one\ntwo\n",
  ],
  ["core.attributesFile", { settings: { "core.attributesFile": join(folder, "attributes") } }, "one\r\ntwo\r\n"],
  ["an encoding", { attributes: "*.txt working-tree-encoding=UTF-16LE" }, "o\0n\0e\0\n\0t\0w\0o\0\n\0"],
  ["a filter", { settings: upper, attributes: "*.txt filter=upper" }, "ONE\nTWO\n"],
  [
    "a filter in committed attributes",
    { settings: upper, files: { ".gitattributes": "*.txt filter=upper\n" } },
    "ONE\nTWO\n",
  ],
  ["an include of settings", { settings: { "include.path": join(folder, "included") } }, "one\r\ntwo\r\n"],
])("%s: the files are as in a checkout", (_, setup, text) => {
  write(folder, { attributes: "*.txt eol=crlf\n", included: "[core]\n\tautocrlf = true\n" });
  const path = repository(setup);
  const { path: clone, status, stderr } = repositories.clone(path);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(readFileSync(join(clone, "text.txt"), "utf8")).toBe(text);
  expect(treeOf(clone)).toEqual(checkedOut(path));
});

test("an include for the path of the repository applies", () => {
  write(folder, { windows: "[core]\n\tautocrlf = true\n" });
  const path = repository({});
  repositories.settings({ [`includeIf.gitdir:${path}/.path`]: join(folder, "windows") });
  expect(readFileSync(join(repositories.clone(path).path, "text.txt"), "utf8")).toBe("one\r\ntwo\r\n");
});

test("settings in variables apply", () => {
  const environment = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "core.autocrlf", GIT_CONFIG_VALUE_0: "true" };
  const { path } = repositories.clone(repository({}), { environment });
  expect(readFileSync(join(path, "text.txt"), "utf8")).toBe("one\r\ntwo\r\n");
});

test("git in the build does not report converted files as changed", () => {
  const path = repository({
    settings: { "core.autocrlf": "true" },
    attributes: "*.md working-tree-encoding=UTF-16LE",
    files: { "a.md": "a\n" },
  });
  const { path: clone } = repositories.clone(path);
  git(clone, "update-index", "--refresh");
  git(clone, "read-tree", "HEAD");
  expect(git(clone, "status", "--porcelain")).toBe("");
});

test("a symbolic link is a file if the repository is configured so, otherwise a link", () => {
  const path = repository({});
  symlinkSync("text.txt", join(path, "link"));
  repositories.commit(path, "link");
  expect(lstatSync(join(repositories.clone(path).path, "link")).isSymbolicLink()).toBe(true);
  git(path, "config", "core.symlinks", "false");
  expect(readFileSync(join(repositories.clone(path).path, "link"), "utf8")).toBe("text.txt");
});

test.each([{ "filter.upper.smudge": "false" }, { "filter.upper.smudge": "false", "filter.upper.required": "true" }])(
  "a filter that fails stops the build: %j",
  (settings) => {
    const { status, stderr } = repositories.clone(repository({ settings, attributes: "*.txt filter=upper" }));
    expect(status).not.toBe(0);
    expect(stderr).toContain("external filter 'false' failed");
  },
);

test("a text that cannot be converted stops the build", () => {
  const path = repository({ files: { "bad.txt": "caf\xe9" } });
  writeFileSync(join(path, "bad.txt"), Buffer.from("caf\xe9", "latin1"));
  repositories.commit(path, "not UTF-8");
  write(path, { ".git/info/attributes": "*.txt working-tree-encoding=UTF-16LE\n" });
  const { status, stderr } = repositories.clone(path);
  expect(status).not.toBe(0);
  expect(stderr).toContain("failed to encode 'bad.txt'");
});

test("a filter that is not configured here is reported", () => {
  repositories.settings({ "color.ui": "always", "grep.lineNumber": "true", "grep.column": "true" });
  const files = {
    ".gitattributes": "# filter=none\n*.bin filter=lfs -text\n*.txt text filter=upper\n",
    "web/.gitattributes": "*.ipynb filter=strip",
  };
  const { printed, status } = repositories.clone(repository({ files, settings: upper }));
  expect(status).toBe(0);
  expect(printed).toBe(
    "The attributes name the filter lfs, which git does not have here, so its files are built as they are stored\n" +
      "The attributes name the filter strip, which git does not have here, so its files are built as they are stored",
  );
});

test("no hook runs, no template is copied, no monitor starts", () => {
  const hooks = join(folder, "hooks");
  const names = ["post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman", "post-merge"];
  write(hooks, Object.fromEntries(names.map((name) => [name, `#!/bin/sh\necho ${name} >>${folder}/ran\nexit 1\n`])));
  for (const name of names) chmodSync(join(hooks, name), 0o755);
  const path = repository({});
  const watch = {
    "core.fsmonitor": join(hooks, "fsmonitor-watchman"),
    "core.splitIndex": "true",
    "submodule.recurse": "true",
  };
  repositories.settings({ "core.hooksPath": hooks, "init.templateDir": join(folder, "template"), ...watch });
  write(folder, {
    "template/hooks/post-checkout": "#!/bin/sh\nexit 1\n",
    "template/config": "[core]\n\tautocrlf = true\n",
  });
  const environment = { GIT_TEMPLATE_DIR: join(folder, "template") };
  const { path: clone, status, stderr } = repositories.clone(path, { environment });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(existsSync(join(folder, "ran"))).toBe(false);
  expect(existsSync(join(clone, ".git/hooks"))).toBe(false);
  expect(readFileSync(join(clone, "text.txt"), "utf8")).toBe("one\ntwo\n");
});

test.each<[string, Record<string, string>, NodeJS.ProcessEnv]>([
  ["protocol.file.allow", { "protocol.file.allow": "never" }, {}],
  ["protocol.allow", { "protocol.allow": "never" }, {}],
  ["GIT_ALLOW_PROTOCOL", {}, { GIT_ALLOW_PROTOCOL: "https" }],
  ["safe.bareRepository", { "safe.bareRepository": "explicit" }, {}],
])("%s does not prevent the clone", (_, settings, environment) => {
  const inner = repositories.make(`inner ${made++}`, { "inner.txt": "inner" });
  const path = repository({});
  git(path, "submodule", "add", "-q", inner, "inner");
  repositories.commit(path, "with a submodule");
  repositories.settings(settings);
  const { path: clone, status, stderr } = repositories.clone(path, { environment });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(existsSync(join(clone, "inner/inner.txt"))).toBe(true);
});

test.runIf(process.getuid?.() === 0)("a repository of another user is cloned if git trusts it", () => {
  const path = repository({});
  repositories.settings({ "safe.directory": path });
  const revision = repositories.head(path);
  execFileSync("chown", ["-R", "65534", path]);
  const { status, stderr } = repositories.clone(path, { revision });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  repositories.settings({});
  expect(repositories.clone(path, { revision }).stderr).toContain("detected dubious ownership");
});

test.each(["077", "002", "022"])("files are readable by all users, whatever the umask: %s", (umask) => {
  const path = repository({ files: { "bin/run": "#!/bin/sh\n" } });
  chmodSync(join(path, "bin/run"), 0o755);
  repositories.commit(path, "executable");
  const { path: clone } = repositories.clone(path, { umask });
  expect(treeOf(clone)).toEqual(['100755 bin/run "#!/bin/sh\\n"', '100644 text.txt "one\\ntwo\\n"']);
  expect(lstatSync(join(clone, "bin")).mode & 0o777).toBe(0o755);
  expect(lstatSync(join(clone, "..")).mode & 0o777).toBe(0o700);
});

test("the clone is in TMPDIR; a missing TMPDIR is an error", () => {
  const path = repository({});
  const elsewhere = join(folder, "else where");
  mkdirSync(elsewhere);
  expect(repositories.clone(path, { environment: { TMPDIR: elsewhere } }).path.startsWith(elsewhere)).toBe(true);
  const { status, stderr } = repositories.clone(path, { environment: { TMPDIR: join(folder, "nowhere") } });
  expect(status).not.toBe(0);
  expect(stderr).toContain("nowhere");
});

/** A docker from a snap: a link to snap's own program. */
function snapped(): string {
  const snap = join(folder, "var/lib/snapd/snap/bin");
  mkdirSync(snap, { recursive: true });
  write(folder, { "usr/bin/snap": "#!/bin/sh\n" });
  chmodSync(join(folder, "usr/bin/snap"), 0o755);
  if (!existsSync(join(snap, "docker"))) symlinkSync(join(folder, "usr/bin/snap"), join(snap, "docker"));
  return `${snap}:${process.env["PATH"]}`;
}

test.each(["tmp", "home/.cache"])("docker as a snap cannot read a clone in %s", (place) => {
  const environment = { TMPDIR: join(folder, place), PATH: snapped() };
  mkdirSync(environment.TMPDIR, { recursive: true });
  const { path, status, stderr } = repositories.clone(repository({}), { environment });
  expect(status).toBe(41);
  expect(stderr).toBe(
    `${join(folder, "var/lib/snapd/snap/bin/docker")}\n${join(folder, place)}/${basename(dirname(path))}`,
  );
});

test("docker as a snap can read a clone in a folder of the home directory without a dot", () => {
  const environment = { TMPDIR: join(folder, "home/tmp"), PATH: snapped() };
  mkdirSync(environment.TMPDIR);
  const { status, stderr } = repositories.clone(repository({}), { environment });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
