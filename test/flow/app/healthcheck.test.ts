import { expect, test } from "vitest";
import { performHealthcheck } from "../../../src/flow/app/healthcheck.ts";
import { config } from "../../support/config.ts";
import { machine } from "../../support/fake-docker.ts";
import { fakeRun } from "../../support/fake-run.ts";

const NAME = "healthcheck-app-1";

test("healthcheck perform does not remove the container of another run of the same version", async () => {
  const box = machine(`case "$1" in run) echo "the name ${NAME} is in use" >&2; exit 125 ;; esac`);
  await expect(performHealthcheck(fakeRun(config(), { host: () => box.host }))).rejects.toThrow("is in use");
  expect(box.calls().filter((line) => /^rm\b/.test(line))).toEqual([]);
});

test("healthcheck perform removes the container that it started", async () => {
  const docker = `case "$1" in ps) echo 3f2a ;; run) exit 0 ;; *) echo running healthy; exit 0 ;; esac`;
  const box = machine(docker);
  await performHealthcheck(fakeRun(config({ readinessDelaySeconds: 0 }), { host: () => box.host }));
  expect(box.calls().slice(-2)).toEqual([
    "ps --all --quiet --filter label=mrsk.healthcheck=000000000000",
    "rm -f 3f2a",
  ]);
});
