import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { builtRevision, gitState } from "../../../src/flow/build/git.ts";
import { appVersion } from "../../../src/flow/version.ts";
import { LocalHost } from "../../../src/hosts/local-host.ts";
import { built, config } from "../../support/config.ts";
import { FakeHost } from "../../support/fake-host.ts";
import { noSecrets } from "../../support/no-secrets.ts";
import { fakeRun } from "../../support/fake-run.ts";
import { Repositories, write } from "../../support/repository.ts";

const git = async () => ({ revision: "4f2a9c1", changes: ["a.txt"], userName: "" });

test("git lists the paths with changes", async () => {
  const host = new FakeHost("localhost")
    .replies(/rev-parse/, "4f2a9c1\n")
    .replies(/status/, " M src/a b.ts\nR  old -> new\n?? untracked.txt\n");
  expect(await gitState(host)).toEqual({
    revision: "4f2a9c1",
    changes: ["src/a b.ts", "old -> new", "untracked.txt"],
    userName: "",
  });
});

test("the commit is built unless a context is set or there is no repository", async () => {
  expect(await builtRevision(fakeRun(config(), { git }))).toMatchObject({ revision: "4f2a9c1", changes: ["a.txt"] });
  expect(await builtRevision(fakeRun(built({ contextGiven: true }), { git }))).toEqual({ changes: [] });
  expect(await builtRevision(fakeRun(config()))).toEqual({ changes: [] });
});

describe("with git itself", () => {
  const repositories = new Repositories();
  const { folder } = repositories;
  let path = "";
  let made = 0;

  beforeEach(() => (path = repositories.make(`repository ${made++}`, { "a.txt": "a" })));

  const seenFrom = (cwd: string, environment: NodeJS.ProcessEnv = {}) =>
    gitState(
      new LocalHost(
        cwd,
        { ...repositories.environment, ...environment } as Record<string, string>,
        () => {},
        noSecrets,
      ),
    );
  const version = async (cwd: string, environment?: NodeJS.ProcessEnv) =>
    appVersion({ named: undefined, git: () => seenFrom(cwd, environment), newId: () => "0", cwd, ofFolder: false });
  const toBuild = (cwd: string, environment?: NodeJS.ProcessEnv) =>
    builtRevision(fakeRun(config(), { git: () => seenFrom(cwd, environment) }));
  /** A folder of programs without git. */
  const withoutGit = () => {
    const programs = join(folder, `programs ${made++}`);
    mkdirSync(programs);
    for (const name of ["sh", "kill", "sleep", "cat"]) {
      symlinkSync(spawnSync("which", [name], { encoding: "utf8" }).stdout.trim(), join(programs, name));
    }
    return { PATH: programs };
  };

  test("the last commit is the version and is built", async () => {
    write(path, { "b.txt": "b" });
    expect(await version(path)).toBe(repositories.head(path));
    expect(await toBuild(path)).toEqual({ revision: repositories.head(path), changes: ["b.txt"] });
  });

  test("new files count, whatever git's settings are", async () => {
    repositories.git(path, "config", "status.showUntrackedFiles", "no");
    write(path, { "b.txt": "b" });
    expect((await seenFrom(path)).changes).toEqual(["b.txt"]);
  });

  test.runIf(process.getuid?.() === 0)(
    "a repository of another user: the error has git's message and proposal",
    async () => {
      spawnSync("chown", ["-R", "65534", path]);
      const proposed = `git config --global --add safe.directory '${path}'`;
      const message = `git cannot read the repository:\nfatal: detected dubious ownership in repository at '${path}'\nTo add an exception for this directory, call:\n\n\t${proposed}`;
      await expect(version(path)).rejects.toMatchObject({
        exitCode: 2,
        message: `Can't use commit hash as version, ${message}`,
        hint: `If you trust its owner, run \`${proposed}\`, or name a version with --version.`,
      });
      await expect(toBuild(path)).rejects.toMatchObject({
        exitCode: 2,
        message: `The last commit cannot be built, ${message}`,
        hint: `If you trust its owner, run \`${proposed}\`, or set builder.context: . to build the folder as it is.`,
      });
    },
  );

  test("without a repository the folder is built, and needs --version", async () => {
    const plain = join(folder, "plain");
    mkdirSync(plain);
    expect(await toBuild(plain)).toEqual({ revision: undefined, changes: [] });
    await expect(version(plain)).rejects.toMatchObject({
      message: `Can't use commit hash as version, no git repository found in ${plain}`,
      hint: "Commit your work first, or name a version with --version.",
    });
  });

  test("without git the folder of a repository is not built", async () => {
    const sub = join(path, "sub");
    mkdirSync(sub);
    await expect(toBuild(sub, withoutGit())).rejects.toMatchObject({
      message: "The last commit cannot be built, git is not installed here",
      hint: "Install git, or set builder.context: . to build the folder as it is.",
    });
    await expect(version(sub, withoutGit())).rejects.toThrow(
      "Can't use commit hash as version, git is not installed here",
    );
    const plain = join(folder, `plain ${made++}`);
    mkdirSync(plain);
    expect(await toBuild(plain, withoutGit())).toEqual({ revision: undefined, changes: [] });
  });

  test("a repository without a commit is an error", async () => {
    const empty = join(folder, `empty ${made++}`);
    mkdirSync(empty);
    repositories.git(empty, "init", "-q");
    await expect(toBuild(empty)).rejects.toThrow(
      "The last commit cannot be built, the git repository has no commit yet",
    );
  });

  test("the error names GIT_DIR, set by a hook of another repository", async () => {
    await expect(toBuild(path, { GIT_DIR: "." })).rejects.toThrow(
      "fatal: not a git repository: '.'\nGIT_DIR is set in the environment: .",
    );
  });

  test.each([
    ["an invalid setting", () => write(path, { ".git/config": "[core" }), "fatal: bad config line"],
    [
      "an index that is damaged",
      () => write(path, { ".git/index": "damaged" }),
      "fatal: .git/index: index file smaller than expected",
    ],
    [
      "a worktree whose repository is gone",
      () => {
        rmSync(join(path, ".git"), { recursive: true });
        write(path, { ".git": "gitdir: /nowhere/.git/worktrees/x\n" });
      },
      "fatal: not a git repository: /nowhere/.git/worktrees/x",
    ],
  ])("%s: the error has git's message", async (_, damage, message) => {
    damage();
    await expect(toBuild(path)).rejects.toThrow(message);
    await expect(version(path)).rejects.toThrow(message);
  });
});
