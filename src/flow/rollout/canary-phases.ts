import { waitForRevision, waitForCanaryRevision } from "../../commands/waits.ts";
import { enableRestart, disableRestart } from "../../commands/restart-policy.ts";
import { lines, sh } from "../../script/command.ts";
import { attempt, type Step, step } from "../../script/script.ts";
import { isUp } from "../../plan/facts.ts";
import type { RolePhases } from "./role-phases.ts";
import { type Progress, REVIVAL_SECONDS, undoSteps } from "./role-undo.ts";

// The container of a weighted canary has no restart policy. If it crashes, its requests go to the live container, also those
// of clients that a cookie binds to the canary.

/** Routes a percentage of the requests to the canary. */
export function weightSteps(role: RolePhases): Step[] {
  const { old, next, percent = 0 } = role.plan;
  const canary = { container: next, percent };
  const file = role.write({ live: old, canary, probe: next, counter: 2 });
  const title = role.named(`Give ${percent}% of the requests to the new container`);
  return [step(title, lines(file, waitForCanaryRevision(next.name, role.probeRouteAt(2), role.plan.role.logLines)))];
}

/** Both containers keep running. */
export function weightedSteps(role: RolePhases): Step[] {
  const { old, next, percent = 0 } = role.plan;
  return [attempt(role.named("Write the live file"), role.finalizedFile(old!, { container: next, percent }))];
}

/** Routes all requests to the old container again: after a failure, and for a rollback of the canary. */
export function undoWeightSteps(role: RolePhases, progress: Progress): Step[] {
  const { old } = role.plan;
  // The finalize phase of a canary stops nothing.
  return undoSteps(role, progress === "finalized" && old && isUp(old) ? "switched" : progress);
}

/** Makes the promoted container a canary again, with the percentage it had. */
export function undoPromotionSteps(role: RolePhases, progress: Progress): Step[] {
  const { canary, next } = role.plan;
  const old = role.plan.old!;
  const file = role.write({ live: old, canary, probe: old, counter: 3 });
  return [
    ...(progress === "finalized"
      ? [
          step(role.named(`Start ${old.name} again`), sh`docker start ${old.id} >/dev/null`),
          step(role.named("Wait until healthy"), role.untilHealthy(old.id, REVIVAL_SECONDS)),
        ]
      : []),
    step(role.named("Weight the requests again"), lines(file, waitForRevision(role.probeRouteAt(3)))),
    attempt(role.named("Keep the old container"), enableRestart(old.id, role.plan.role.restartPolicy)),
    attempt(role.named("Leave the canary as it is"), disableRestart(next.name)),
    step(role.named("Write the live file"), role.revertedFile()),
  ];
}
