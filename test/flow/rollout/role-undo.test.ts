import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RolePhases } from "../../../src/flow/rollout/role-phases.ts";
import { revertStart, undoSteps } from "../../../src/flow/rollout/role-undo.ts";
import { decide } from "../../../src/plan/deploy.ts";
import { config, role, runnable } from "../../support/config.ts";
import { aHost, container, stopped, type World } from "../../support/world.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "undo-"));
  writeFileSync(join(folder, "calls"), "");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** An engine with these containers that records the changes. */
function engine({ made, named }: { made: string; named: string }): void {
  const body = `case $1 in
  ps) printf '%s\\n' '${made}' ;;
  inspect) printf '%s\\n' '${named}' ;;
  *) echo "$*" >>${folder}/calls ;;
esac`;
  writeFileSync(join(folder, "docker"), `#!/bin/sh\n${body}\n`);
  chmodSync(join(folder, "docker"), 0o755);
}

function phasesOf(world: World, version: string, reuse = false): RolePhases {
  const seen = world
    .behindTraefik()
    .with({ liveDirectory: join(folder, "traefik") })
    .facts();
  const given = config();
  let count = 0;
  const newId = (digits: number) => String(++count).padStart(digits, "0");
  const plan = decide({
    config: given,
    versionOn: () => version,
    roles: [role()],
    facts: seen,
    newId,
    reuse,
    traefikArguments: [],
  });
  return new RolePhases(given, plan, plan.roles[0]!, new Map(), newId);
}

/** The changes that the engine recorded. */
function changesBy(text: string): string[] {
  const env = { PATH: `${folder}:${process.env["PATH"]}` };
  const { status, stderr } = spawnSync("/bin/sh", ["-c", text], { encoding: "utf8", env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return readFileSync(join(folder, "calls"), "utf8").split("\n").filter(Boolean);
}

const LIVE = container("web", 1);
const liveFileText = () => readFileSync(join(folder, "traefik/app-web.yml"), "utf8");

test("a start of the same version that fails before the rename leaves the live container alone", () => {
  engine({ made: "", named: LIVE.id });
  expect(changesBy(runnable(revertStart(phasesOf(aHost().runs(LIVE), "1"))))).toEqual([]);
  expect(liveFileText()).toContain("service: app-web-aaaaaaaa@docker");
});

test("a start that fails after the rename restores the name, and stops the new container by its id", () => {
  engine({ made: "new-id", named: "new-id" });
  expect(changesBy(runnable(revertStart(phasesOf(aHost().runs(LIVE), "1"))))).toEqual([
    "rename new-id app-web-1_failed_0000000000000002",
    `rename ${LIVE.id} app-web-1`,
    "stop -t 5 new-id",
  ]);
});

test("an undo that runs twice changes nothing the second time", () => {
  engine({ made: "new-id", named: LIVE.id });
  expect(changesBy(runnable(revertStart(phasesOf(aHost().runs(LIVE), "1"))))).toEqual(["stop -t 5 new-id"]);
});

test("a rollback to the live container stops nothing", () => {
  engine({ made: LIVE.id, named: LIVE.id });
  expect(changesBy(runnable(revertStart(phasesOf(aHost().runs(LIVE), "1", true))))).toEqual([]);
});

test("a rollback that fails stops the kept container", () => {
  const kept = stopped("web", 0);
  engine({ made: "", named: kept.id });
  expect(changesBy(runnable(revertStart(phasesOf(aHost().runs(LIVE).keeps(kept), "0", true))))).toEqual([
    `stop -t 5 ${kept.id}`,
  ]);
});

test("a first start that fails removes its live file", () => {
  engine({ made: "new-id", named: "new-id" });
  expect(changesBy(runnable(revertStart(phasesOf(aHost(), "1"))))).toEqual(["stop -t 5 new-id"]);
  expect(liveFileText).toThrow("ENOENT");
});

test("if the new container was never created, an undo starts the old one and stops nothing", () => {
  engine({ made: "", named: LIVE.id });
  const steps = undoSteps(phasesOf(aHost().runs(LIVE), "2"), "starting");
  expect(changesBy(steps.map(({ body }) => `( ${runnable(body)}\n)`).join("\n"))).toEqual([`start ${LIVE.id}`]);
});
