import { waitForRevision, waitForCanaryRevision } from "../../commands/waits.ts";
import { enableRestart, disableRestart } from "../../commands/restart-policy.ts";
import { lines, sh } from "../../script/command.ts";
import { attempt, type Step, step } from "../../script/script.ts";
import { isUp } from "../../plan/facts.ts";
import type { RolePhases } from "./role-phases.ts";
import { type Progress, undoSteps } from "./role-undo.ts";

// The new container of a share replaces nothing, and is not restarted, neither after a crash nor with the server: what is
// on trial must not fail again and again for those whom a cookie keeps with it.

/** The new container gets its share of the requests. */
export function weightSteps(role: RolePhases): Step[] {
  const { old, next, share = 0 } = role.plan;
  const canary = { container: next, percent: share };
  const file = role.write({ live: old, canary, probe: next, counter: 2 });
  const title = role.named(`Give ${share}% of the requests to the new container`);
  return [step(title, lines(file, waitForCanaryRevision(next.name, role.probeRouteAt(2), role.plan.role.logLines)))];
}

/** Both go on. */
export function weightedSteps(role: RolePhases): Step[] {
  const { old, next, share = 0 } = role.plan;
  return [attempt(role.named("Write the live file"), role.finalizedFile(old!, { container: next, percent: share }))];
}

/** The old one has all requests again: after a failure, and when a canary is taken back. */
export function undoWeightSteps(role: RolePhases, progress: Progress): Step[] {
  const { old } = role.plan;
  // Settling stopped nothing.
  return undoSteps(role, progress === "settled" && old && isUp(old) ? "switched" : progress);
}

/** A canary that was to have all requests is one again, as it was. */
export function undoPromotionSteps(role: RolePhases, progress: Progress): Step[] {
  const { canary, next } = role.plan;
  const old = role.plan.old!;
  const file = role.write({ live: old, canary, probe: old, counter: 3 });
  return [
    ...(progress === "settled"
      ? [
          step(role.named(`Start ${old.name} again`), sh`docker start ${old.id} >/dev/null`),
          step(role.named("Wait until healthy"), role.untilHealthy(old.id, 60)),
        ]
      : []),
    step(role.named("Weight the requests again"), lines(file, waitForRevision(role.probeRouteAt(3)))),
    attempt(role.named("Keep the old container"), enableRestart(old.id)),
    attempt(role.named("Leave the canary as it is"), disableRestart(next.name)),
    step(role.named("Write the live file"), role.revertedFile()),
  ];
}
