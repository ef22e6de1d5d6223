import { describe, expect, test } from "vitest";
import { ensureImage, fetchImage } from "../../src/flow/image.ts";
import { config } from "../support/config.ts";
import { type FakeRun, fakeRun } from "../support/fake-run.ts";
import { ExitStatus } from "../../src/shell/exit-status.ts";

const HOST = "192.0.2.1";

function withHost(step: RegExp, output: string, status = 1): FakeRun {
  const run = fakeRun(config());
  run.host(HOST);
  run.hosts.get(HOST)!.replies(step, output, status);
  return run;
}

describe("errors of a pull", () => {
  test.each([
    ["dial tcp 192.0.2.7:5000: connect: connection refused", 5, "the registry Docker Hub does not answer", "rollback"],
    ["no matching manifest for linux/amd64 in the manifest list entries", 5, "dhh/app:1", "builder.local.arch"],
    ["manifest for dhh/app:1 not found: manifest unknown", 2, "the registry has no image dhh/app:1", "build push"],
    ["login attempt to http://r/v2/ failed with status: 401 Unauthorized", 5, "refuses the login", "registry/password"],
    ["denied: requested access to the resource is denied", 5, "is denied", "permissions of registry/username"],
  ])("%s", async (output, exitCode, message, hint) => {
    await expect(fetchImage(withHost(/^Pull the image$/, output), "1")).rejects.toMatchObject({
      exitCode,
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
  });
});

describe("an image that does not fit the host or the service", () => {
  test.each([
    ["", ExitStatus.NO_LABEL, "Image dhh/app:1 is missing the 'service' label", "--label service=app"],
    ["other", ExitStatus.NO_LABEL, "Image dhh/app:1 has the label service=other, not app", "LABEL service=app"],
    [
      "arm64 x86_64",
      ExitStatus.OTHER_ARCHITECTURE,
      "dhh/app:1 is built for arm64, but this host is x86_64",
      "builder.remote",
    ],
  ])("%j", async (output, status, message, hint) => {
    for (const fetch of [(run: FakeRun) => fetchImage(run, "1"), (run: FakeRun) => ensureImage(run, "1")]) {
      await expect(fetch(withHost(/^Check the image$/, output, status))).rejects.toMatchObject({
        exitCode: 5,
        message: expect.stringContaining(`${HOST}: `),
        hint: expect.stringContaining(hint),
      });
      await expect(fetch(withHost(/^Check the image$/, output, status))).rejects.toThrow(message);
    }
  });
});
