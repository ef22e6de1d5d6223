import { expect, test } from "vitest";
import { appVersion, builtRevision, gitState, type VersionQuestion } from "../../src/flow/version.ts";
import { built, config } from "../commands/support.ts";
import { FakeHost } from "../support/fake-host.ts";
import { fakeRun } from "../support/fake-run.ts";

const git = async () => ({ revision: "4f2a9c1", changes: ["a.txt"], userName: "" });

function version(question: Partial<VersionQuestion> = {}): Promise<string> {
  return appVersion({
    named: undefined,
    git,
    newId: (digits) => "0".repeat(digits),
    cwd: "/x",
    ofFolder: false,
    ...question,
  });
}

test("a build of the commit has its version, whatever the folder looks like", async () => {
  expect(await version()).toBe("4f2a9c1");
});

test("a build of a folder with changes has a version of its own", async () => {
  expect(await version({ ofFolder: true })).toBe("4f2a9c1_uncommitted_0000000000000000");
});

test("a version that was named needs no git, and has to be a tag", async () => {
  const none = async () => ({ revision: undefined, changes: [], userName: "" });
  expect(await version({ named: "v1-rc1", git: none })).toBe("v1-rc1");
  await expect(version({ named: "a b" })).rejects.toThrow("'a b' cannot be a version");
  await expect(version({ git: none })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("/x") });
});

test("git tells which paths have changes", async () => {
  const host = new FakeHost("localhost")
    .replies(/rev-parse/, "4f2a9c1\n")
    .replies(/status/, " M src/a b.ts\nR  old -> new\n?? untracked.txt\n");
  expect(await gitState(host)).toEqual({
    revision: "4f2a9c1",
    changes: ["src/a b.ts", "old -> new", "untracked.txt"],
    userName: "",
  });
});

test("the commit is built unless a context is set, or there is no repository", async () => {
  expect(await builtRevision(fakeRun(config(), { git }))).toMatchObject({ revision: "4f2a9c1", changes: ["a.txt"] });
  expect(await builtRevision(fakeRun(built({ contextGiven: true }), { git }))).toEqual({ changes: [] });
  expect(await builtRevision(fakeRun(config()))).toEqual({ changes: [] });
});
