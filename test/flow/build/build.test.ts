import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildDev, push, pushImage } from "../../../src/flow/build/build.ts";
import { built } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";

const committed = async () => ({ revision: "4f2a9c1d", changes: [] as readonly string[], userName: "" });

function native(git: FakeRun["git"] = committed): FakeRun {
  return fakeRun(built({ kind: "native" }), { held: { lock: true }, git });
}

function steps(run: FakeRun): string[] {
  return run.hosts.get("localhost")!.steps.filter((name) => name !== "engine");
}

const CLONED = ["Clone the commit", "Find the Dockerfile", "Build the image"];
const PUSHED = ["Push the image", "Push the image as latest"];

test("the commit is cloned, built and pushed", async () => {
  const run = native();
  await push(run, "1");
  expect(steps(run)).toEqual([...CLONED, ...PUSHED]);
});

test("docker's engine is checked only after the build failed", async () => {
  const run = native();
  const local = run.hosts.get("localhost")!;
  await push(run, "1");
  expect(local.steps).not.toContain("engine");
  local.fails(/^Build the image$/, "").fails(/^engine$/, "");
  await expect(push(run, "1")).rejects.toThrow("The Docker engine of this machine does not answer");
});

test("without a repository the folder is built", async () => {
  const run = fakeRun(built({ kind: "native" }), { held: { lock: true } });
  await push(run, "1");
  expect(steps(run)[0]).toBe("Find the Dockerfile");
});

test("a Dockerfile in a context that docker fetches is not checked here", async () => {
  const context = "git@github.com:dhh/app.git";
  const run = fakeRun(built({ kind: "native", context, contextGiven: true }), { held: { lock: true } });
  await push(run, "1");
  expect(steps(run)[0]).toBe("Build the image");
});

test("the warning names ten uncommitted paths and the number of the others", async () => {
  const changes = Array.from({ length: 12 }, (_, i) => `${i}.txt`);
  const run = native(async () => ({ ...(await committed()), changes }));
  await push(run, "1");
  const [warning] = run.events.flatMap((event) => (event.kind === "warning" ? [event.text] : []));
  expect(warning).toBe(
    "These paths have uncommitted changes, which will not be in the image: " +
      "0.txt, 1.txt, 2.txt, 3.txt, 4.txt, 5.txt, 6.txt, 7.txt, 8.txt, 9.txt and 2 more",
  );
});

test("a push that requires a login is repeated once after the login", async () => {
  const run = native();
  run.hosts.get("localhost")!.fails(/^Push the image$/, "unauthorized: authentication required");
  await expect(push(run, "1")).rejects.toMatchObject({
    message: "The image could not be pushed (exit status 1)\nunauthorized: authentication required",
    hint: expect.stringContaining("registry/password"),
  });
  expect(steps(run)).toEqual([...CLONED, "Push the image", "Log in to the registry", ...CLONED, "Push the image"]);
});

test.each([
  'denied\nERROR: failed to solve: process "/bin/sh -c echo denied" did not complete successfully: exit code: 1',
  "#8 0.1 unauthorized\nERROR: executor failed running [/bin/sh -c echo unauthorized]: exit code: 1",
])("a failed Dockerfile step is not repeated: %j", async (output) => {
  const run = native();
  run.hosts.get("localhost")!.fails(/^Build the image$/, output);
  await expect(push(run, "1")).rejects.toMatchObject({ exitCode: 5, hint: undefined });
  expect(steps(run)).toEqual(CLONED);
});

test.each([
  [committed, "Missing Dockerfile in the commit 4f2a9c1, which the build uses"],
  [async () => ({ revision: undefined, changes: [], userName: "" }), "Missing Dockerfile"],
])("%# a missing Dockerfile", async (git, message) => {
  const run = native(git);
  run.hosts.get("localhost")!.fails(/^Find the Dockerfile$/, "");
  await expect(push(run, "1")).rejects.toMatchObject({ exitCode: 3, message });
});

test.each([
  [
    /^Clone the commit$/,
    committed,
    "Set TMPDIR to a folder that it can access (mkdir -p ~/tmp && export TMPDIR=~/tmp)",
  ],
  [
    /^Find the Dockerfile$/,
    async () => ({ revision: undefined, changes: [], userName: "" }),
    "Move the project to a folder in your home whose name does not begin with a dot",
  ],
])("a docker from a snap that cannot access the folder is named: %s", async (step, git, move) => {
  const run = native(git);
  run.hosts.get("localhost")!.replies(step, "/snap/bin/docker\n/tmp/x\n", 41);
  await expect(push(run, "1")).rejects.toMatchObject({
    exitCode: 5,
    message: "Docker was installed from a snap (/snap/bin/docker), and cannot access /tmp/x",
    hint: `${move}, or install Docker from its own packages (https://docs.docker.com/engine/install/).`,
  });
});

test.each([
  ["fatal: could not fetch 4f2a from promisor remote", expect.stringContaining("without --filter")],
  ["error: external filter 'x' failed", undefined],
  ["git@github.com: permission denied: requested access to the resource is denied, unauthorized", undefined],
])("a commit that cannot be checked out is not built: %s", async (output, hint) => {
  const run = native();
  run.hosts.get("localhost")!.fails(/^Clone the commit$/, output);
  const message = `The commit 4f2a9c1 could not be checked out for the build\n${output}`;
  await expect(push(run, "1")).rejects.toMatchObject({ exitCode: 5, message, hint });
  expect(steps(run)).toEqual(["Clone the commit"]);
});

describe("until the checks succeed, nothing changes outside of this machine", () => {
  /** Starts a push that waits for `checks`. @returns the steps that ran before that */
  async function waiting(run: FakeRun): Promise<{ before: string[]; pass: () => void; pushed: Promise<void> }> {
    let pass = () => {};
    const pushed = push(run, "1", { checks: new Promise<void>((resolve) => (pass = resolve)) });
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { before: steps(run), pass, pushed };
  }

  test("docker's own engine builds meanwhile, then pushes", async () => {
    const run = native();
    const { before, pass, pushed } = await waiting(run);
    expect(before).toEqual(CLONED);
    pass();
    await pushed;
    expect(steps(run)).toEqual([...CLONED, ...PUSHED]);
  });

  test("a builder that pushes by itself waits", async () => {
    const run = fakeRun(built({ kind: "multiarch" }), { held: { lock: true }, git: committed });
    const { before, pass, pushed } = await waiting(run);
    expect(before).not.toContain("Build the image");
    pass();
    await pushed;
    expect(steps(run)).toContain("Build the image");
  });

  test("a hook waits", async () => {
    const cwd = mkdtempSync(join(tmpdir(), "mrsk-build-"));
    mkdirSync(join(cwd, ".mrsk/hooks"), { recursive: true });
    writeFileSync(join(cwd, ".mrsk/hooks/pre-build"), "#!/bin/sh\n", { mode: 0o755 });
    const run = { ...native(), cwd, skipHooks: false };
    const { before, pass, pushed } = await waiting(run);
    expect(before).toEqual([]);
    pass();
    await pushed;
    expect(steps(run)).toEqual([expect.stringContaining("pre-build"), ...CLONED, ...PUSHED]);
  });

  test("a failed check prevents the push", async () => {
    const run = native();
    await expect(push(run, "1", { checks: Promise.reject(new Error("the port is taken")) })).rejects.toThrow(
      "the port is taken",
    );
    expect(steps(run)).toEqual(CLONED);
  });
});

describe("build dev", () => {
  const changed: FakeRun["git"] = async () => ({ ...(await committed()), changes: ["a.txt"] });
  const commands = (run: FakeRun) => run.hosts.get("localhost")!.commands;

  test("builds the working directory with its changes, and connects to no server", async () => {
    const run = native(changed);
    await buildDev(run, { output: "docker" });
    expect([...run.hosts.keys()]).toEqual(["localhost"]);
    expect(run.hosts.get("localhost")!.steps).toEqual(["engine", "Find the Dockerfile", "Build the image"]);
    expect(commands(run).at(-1)).toBe(
      "docker build -t dhh/app:1-dirty -t dhh/app:latest-dirty --label service=app --file Dockerfile .",
    );
    expect(run.events).toContainEqual({
      kind: "warning",
      text: "These paths have uncommitted changes, and may be in the image: a.txt",
    });
    expect(run.events.at(-1)).toEqual({
      kind: "note",
      text: "Built dhh/app:1-dirty and dhh/app:latest-dirty",
    });
  });

  test("takes no lock", async () => {
    const run = fakeRun(built({ kind: "native" }), { git: committed });
    await buildDev(run, { output: "docker" });
    expect(run.transcript.filter((line) => /lock/.test(line))).toEqual([]);
  });

  test("a failed build is explained as a build", async () => {
    const run = native();
    run.hosts.get("localhost")!.fails(/^Build the image$/, "no space left on device");
    await expect(buildDev(run, { output: "docker" })).rejects.toThrow(
      "The image could not be built (exit status 1)\nno space left on device",
    );
  });

  test.each([
    ["local,dest=out", "type=local,dest=/nowhere/out"],
    ["tar,dest=/tmp/a.tar", "type=tar,dest=/tmp/a.tar"],
    ["oci,dest=-", "type=oci,dest=-"],
    ["type=local,dest=out", "type=local,dest=/nowhere/out"],
  ])("--output %s is docker's %s: a path is relative to the project", async (output, meant) => {
    const run = native();
    await buildDev(run, { output });
    expect(commands(run).at(-1)).toContain(`docker build --output ${meant} `);
    await pushImage(run, { output });
    expect(commands(run).find((command) => command.includes("-t dhh/app:latest "))).toContain(`--output ${meant} `);
    expect(run.hosts.get("localhost")!.steps).not.toContain("Push the image");
  });
});
