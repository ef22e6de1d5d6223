import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deliver, push } from "../../../src/flow/build/build.ts";
import { refuseTrackedSecrets } from "../../../src/flow/build/tracked-env.ts";
import { LocalHost } from "../../../src/hosts/local-host.ts";
import { built } from "../../support/config.ts";
import { mrsk, project, UNREACHABLE } from "../../support/cli.ts";
import { fakeRun } from "../../support/fake-run.ts";
import { noSecrets } from "../../support/no-secrets.ts";

const git = (folder: string, ...words: string[]) =>
  execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", ...words], { encoding: "utf8" });

/** A repository with all files committed. */
function repository(files: Readonly<Record<string, string>>): string {
  const folder = project(files);
  git(folder, "init", "--quiet");
  git(folder, "add", "--force", ".");
  git(folder, "commit", "--quiet", "-m", "first");
  return folder;
}

function runIn(cwd: string, allowTrackedEnv = false) {
  const environment = { PATH: process.env["PATH"]! };
  const config = built({ allowTrackedEnv, secrets: ["NAMED"] });
  return fakeRun(config, { cwd, local: new LocalHost(cwd, environment, () => {}, noSecrets) });
}

const SECRET = "API_TOKEN=a1b2c3d4e5\n";

test("the error names every tracked .env file with secrets, their names, and the commands that fix it", async () => {
  const folder = repository({ ".env": SECRET, ".env.production": "NAMED=word\nPORT=3000\n" });
  await expect(refuseTrackedSecrets(runIn(folder))).rejects.toMatchObject({
    exitCode: 3,
    problems: [
      ".env is tracked by git and holds secrets (API_TOKEN), which would be in the image",
      ".env.production is tracked by git and holds secrets (NAMED), which would be in the image",
    ],
    hint: expect.stringMatching(
      /^Run git rm --cached \.env \.env\.production, .*builder\.allow_tracked_env: true/,
    ) as string,
  });
});

test.each<[string, (folder: string) => Promise<void>]>([
  ["build push", (folder) => push(runIn(folder), "1")],
  ["build deliver", (folder) => deliver(runIn(folder))],
])("%s refuses before it acquires the lock", async (_, act) => {
  await expect(act(repository({ ".env": SECRET }))).rejects.toMatchObject({ exitCode: 3 });
});

test.each(["deploy", "redeploy", "setup"])("%s refuses before it connects", async (command) => {
  const result = await mrsk(repository({ ".env": SECRET, "config/deploy.yml": UNREACHABLE }), command);
  expect(result).toMatchObject({ status: 3, stderr: expect.stringContaining(".env is tracked by git") as string });
});

test("without a build no file is refused", async () => {
  const result = await mrsk(repository({ ".env": SECRET, "config/deploy.yml": UNREACHABLE }), "deploy", "-P");
  expect(result.stderr).not.toContain("tracked");
});

test("a file that is no longer tracked, but is in the commit that would be built, is refused", async () => {
  const folder = repository({ ".env": SECRET });
  git(folder, "rm", "--quiet", "--cached", ".env");
  await expect(refuseTrackedSecrets(runIn(folder))).rejects.toMatchObject({ exitCode: 3 });
  git(folder, "commit", "--quiet", "-m", "without");
  await refuseTrackedSecrets(runIn(folder));
});

test.each<[string, Record<string, string>]>([
  ["examples and templates", { ".env.example": SECRET, ".env.erb": SECRET, ".env.staging.erb": SECRET }],
  ["plain values", { ".env": "RAILS_ENV=production\nPORT=3000\nAPP_HOST=https://app.example.com\n" }],
  ["values that a command fetches", { ".env": "API_TOKEN=$(op read op://vault/token)\n" }],
])("%s may be tracked", async (_, files) => {
  await expect(refuseTrackedSecrets(runIn(repository(files)))).resolves.toBeUndefined();
});

test("builder.allow_tracked_env allows it, and an untracked file is no problem", async () => {
  const untracked = repository({ README: "" });
  writeFileSync(join(untracked, ".env"), SECRET);
  const passing = [
    runIn(repository({ ".env": SECRET }), true),
    runIn(untracked),
    runIn(project({ ".env": SECRET })),
  ].map(refuseTrackedSecrets);
  expect(await Promise.all(passing)).toEqual([undefined, undefined, undefined]);
});
