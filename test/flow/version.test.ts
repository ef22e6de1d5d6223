import { expect, test } from "vitest";
import { appVersion, type VersionQuestion } from "../../src/flow/version.ts";

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
