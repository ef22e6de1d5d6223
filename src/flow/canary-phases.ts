import { keepAlive, releaseRestart, waitForMark, waitUntilHealthy } from "../commands/cutover.ts";
import { type Body, lines, sh } from "../commands/command.ts";
import { attempt, type Step, step } from "../commands/script.ts";
import type { Config } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import type { HostPlan, RolePlan } from "../plan/deploy.ts";
import { isUp } from "../plan/facts.ts";
import { type Beside, type Progress, RolePhases } from "./role-phases.ts";

/** The steps for a role on a host, as its plan wants the next container: live, a canary, or a canary made live. */
export function rolePhases(
  config: Config,
  host: HostPlan,
  plan: RolePlan,
  secrets: ReadonlyMap<string, Secret>,
  newId: (digits: number) => string,
): RolePhases {
  if (plan.share !== undefined) return new CanaryPhases(config, host, plan, secrets, newId);
  const Phases = plan.canary ? PromotionPhases : RolePhases;
  return new Phases(config, host, plan, secrets, newId);
}

/**
 * A new container that gets a share of the requests and does not replace the old one. It is not restarted, neither after
 * a crash nor with the server: what is on trial must not fail again and again for those whom a cookie keeps with it.
 * Going back is also how it is taken back later.
 */
class CanaryPhases extends RolePhases {
  override switchSteps(): Step[] {
    const { share = 0, old } = this.plan;
    const body = lines(this.write(old, this.withShare(share), 2), waitForMark(this.previewAt(2)));
    return [step(this.named(`Give ${share}% of the requests to the new container`), body)];
  }

  override settleSteps(): Step[] {
    const { share = 0, old } = this.plan;
    const file = this.settled(old!, this.withShare(share).canary);
    return [...this.stopStale(), step(this.named("Write the live file"), file)];
  }

  protected override besideOld(): Beside {
    return this.withShare(0);
  }

  override undoSteps(progress: Progress): Step[] {
    // The old one is where it was, unless it stopped by itself.
    return super.undoSteps(progress === "settled" && this.plan.old && isUp(this.plan.old) ? "switched" : progress);
  }

  private withShare(percent: number) {
    return { canary: { container: { labels: this.plan.next.labels }, percent } };
  }
}

/** A canary gets all requests. When that fails it is a canary again, as it was. */
class PromotionPhases extends RolePhases {
  override abandon(): Body {
    return this.restoreFile();
  }

  override undoSteps(progress: Progress): Step[] {
    const { plan, config } = this;
    const old = plan.old!;
    return [
      ...(progress === "settled"
        ? [
            step(this.named(`Start ${old.name} again`), sh`docker start ${old.id} >/dev/null`),
            step(this.named("Wait until healthy"), waitUntilHealthy(old.id, 60, config.readinessDelaySeconds)),
          ]
        : []),
      step(
        this.named("Share the requests again"),
        lines(this.write(old, { canary: plan.canary }, 3), waitForMark(this.previewAt(3))),
      ),
      attempt(this.named("Keep the old container"), keepAlive(old.id)),
      attempt(this.named("Leave the canary on trial"), releaseRestart(plan.next.name)),
      step(this.named("Write the live file"), this.restoreFile()),
    ];
  }
}
