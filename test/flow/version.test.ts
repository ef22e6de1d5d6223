import { expect, test } from "vitest";
import { appVersion, type VersionSources } from "../../src/flow/version.ts";

const git = async () => ({ revision: "4f2a9c1", changes: ["a.txt"], userName: "" });

function version(question: Partial<VersionSources> = {}): Promise<string> {
  return appVersion({
    named: undefined,
    git,
    newId: (digits) => "0".repeat(digits),
    cwd: "/x",
    ofFolder: false,
    ...question,
  });
}

test("a build of the commit has its version, with or without changes in the folder", async () => {
  expect(await version()).toBe("4f2a9c1");
});

test("a build of a folder with changes has a unique version", async () => {
  expect(await version({ ofFolder: true })).toBe("4f2a9c1_uncommitted_0000000000000000");
});

test("a named version needs no git, and must be a valid tag", async () => {
  const none = async () => ({ revision: undefined, changes: [], userName: "" });
  expect(await version({ named: "v1-rc1", git: none })).toBe("v1-rc1");
  await expect(version({ named: "a b" })).rejects.toThrow("'a b' is not a valid version");
  await expect(version({ git: none })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("/x") });
});
