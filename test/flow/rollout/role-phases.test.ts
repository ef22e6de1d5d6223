import { expect, test } from "vitest";
import { RolePhases } from "../../../src/flow/rollout/role-phases.ts";
import { decide } from "../../../src/plan/deploy.ts";
import type { Role } from "../../../src/config/config.ts";
import { redact } from "../../../src/script/command.ts";
import { config, role } from "../../support/config.ts";
import { fake, run } from "../../support/fake-commands.ts";
import { aHost, container, stopped } from "../../support/world.ts";

function stepsOfStart(given: Partial<Role> = {}): ReturnType<RolePhases["startSteps"]> {
  const facts = aHost().behindTraefik().runs(container("web", 1)).keeps(stopped("web", 2)).facts();
  const newId = (digits: number) => "0".repeat(digits);
  const versionOn = () => "2";
  const plan = decide({
    config: config(),
    versionOn,
    roles: [role(given)],
    facts,
    newId,
    reuse: false,
    traefikArguments: [],
  });
  return new RolePhases(config(), plan, plan.roles[0]!, new Map(), newId).startSteps();
}

test.each([
  ["removed", 0, 0, 0],
  ["already removed, which is no failure", 1, 1, 0],
  ["not removed, which is a failure", 1, 0, 1],
])("a stopped container with the next one's name is %s", (_, removal, inspection, status) => {
  const { body } = stepsOfStart().find(({ name }) => name === "Remove app-web-2 (web)")!;
  fake(
    "docker",
    `case $1 in rm) echo "cannot" >&2; exit ${removal} ;; *) echo "no such object" >&2; exit ${inspection} ;; esac`,
  );
  expect(run(body)).toMatchObject({ status, stdout: "", stderr: "" });
});

test.each([
  ["28 s, and the readiness delay, behind a live file", { healthcheck: undefined }, "35 7"],
  ["28 s without Traefik", { healthcheck: undefined, traefik: false }, "28 7"],
])("a container without a health check may take %s", (_, given, seconds) => {
  const { body } = stepsOfStart(given).find(({ name }) => name === "Wait until healthy (web)")!;
  expect(redact(body)).toContain(`wait_healthy app-web-2 ${seconds} `);
});
