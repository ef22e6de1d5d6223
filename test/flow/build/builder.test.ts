import { describe, expect, test } from "vitest";
import { builderDetails, createBuilder, ensureBuilder, removeBuilder } from "../../../src/flow/build/builder.ts";
import { built } from "../../support/config.ts";
import { type FakeRun, fakeRun } from "../../support/fake-run.ts";

const checks = Promise.resolve();
const NAME = "mrsk-app-native-remote";
const CONTEXT = `${NAME}-amd64`;
const remote = built({ kind: "native/remote", remote: { arch: "amd64", host: "ssh://b@192.0.2.9" } });
const native = built({ kind: "native" });

function local(run: FakeRun) {
  return run.hosts.get("localhost")!;
}

function texts(run: FakeRun): string[] {
  return run.events.flatMap((event) => ("text" in event ? [event.text] : []));
}

/** A builder and its context, as in the output of buildx and docker. */
function withBuilder(endpoint: string, host: string): FakeRun {
  const run = fakeRun(remote);
  local(run)
    .replies(/^docker buildx inspect/, `Name: ${NAME}\nNodes:\nName:      ${NAME}0\nEndpoint:  ${endpoint}\n`)
    .replies(/^docker context inspect/, `${host}\n`);
  return run;
}

describe("before a build", () => {
  test("a builder that matches the configuration is used", async () => {
    const run = withBuilder(CONTEXT, "ssh://b@192.0.2.9");
    await ensureBuilder(run, checks);
    expect(local(run).steps).not.toContain("Create the builder");
  });

  test("a builder that the user created is used", async () => {
    const run = withBuilder("tcp://192.0.2.8:1234", "");
    await ensureBuilder(run, checks);
    expect(local(run).steps).not.toContain("Create the builder");
  });

  test("a builder whose host changed is created again", async () => {
    const run = withBuilder(CONTEXT, "ssh://b@192.0.2.8");
    await ensureBuilder(run, checks);
    expect(local(run).steps.at(-1)).toBe("Create the builder");
    expect(texts(run)[0]).toContain(`${CONTEXT} was ssh://b@192.0.2.8, is now ssh://b@192.0.2.9`);
  });

  test("a missing builder is created, after the remains of a crash are removed", async () => {
    const run = fakeRun(remote);
    local(run).fails(/^docker buildx inspect/, `ERROR: no builder "${NAME}" found`);
    await ensureBuilder(run, checks);
    expect(local(run).steps.slice(-3)).toEqual([
      "Remove the existing builder",
      "Remove the existing builder",
      "Create the builder",
    ]);
    expect(texts(run)).toEqual(["Missing compatible builder, so creating a new one first"]);
  });

  test("after another failure of buildx no builder is created", async () => {
    const run = fakeRun(remote);
    local(run).fails(/^docker buildx inspect/, "ERROR: open /root/.docker/buildx: no such file or directory");
    await expect(ensureBuilder(run, checks)).rejects.toThrow("no such file or directory");
    expect(local(run).steps).not.toContain("Create the builder");
  });

  test("if ssh fails, the error has the command to check it", async () => {
    const run = fakeRun(remote);
    local(run).fails(/^docker buildx inspect/, `ERROR: no builder "${NAME}" found`);
    local(run).fails(/^docker context create/, "stderr=Host key verification failed.");
    await expect(ensureBuilder(run, checks)).rejects.toMatchObject({
      message: expect.stringContaining("Host key verification failed"),
      hint: expect.stringContaining("docker -H ssh://b@192.0.2.9 version"),
    });
  });
});

describe("what is missing on this machine is named", () => {
  test.each([
    [native, /^docker version/, 127, "Docker is not installed locally"],
    [remote, /^docker version/, 127, "Docker is not installed locally"],
    [remote, /^docker buildx version/, 1, "Docker buildx plugin is not installed locally"],
    [native, /^docker version/, 1, "The Docker engine of this machine does not answer"],
  ])("%#", async (given, pattern, status, message) => {
    const run = fakeRun(given);
    local(run).replies(pattern, "", status);
    await expect(ensureBuilder(run, checks)).rejects.toMatchObject({ exitCode: 5, message });
  });

  test("a remote builder needs no local engine", async () => {
    const run = withBuilder(CONTEXT, "ssh://b@192.0.2.9");
    local(run).fails(/^docker version/, "");
    await ensureBuilder(run, checks);
    expect(local(run).steps).toContain("engine");
  });
});

test("docker's own builder: create, remove and details do nothing and report that", async () => {
  const run = fakeRun(native, { held: { lock: true } });
  await createBuilder(run);
  await removeBuilder(run);
  await builderDetails(run);
  expect(local(run).steps).toEqual([]);
  expect(run.printed).toEqual(["Builder: native\n"]);
  expect(texts(run)).toEqual([
    "Docker's own builder is used: nothing to create",
    "Docker's own builder is used: nothing to remove",
    "Docker's own builder is used: nothing to show",
  ]);
});
