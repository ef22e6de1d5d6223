import { traefikArguments } from "../../commands/traefik.ts";
import type { Role } from "../../config/config.ts";
import { ExitCode, MrskError } from "../../errors.ts";
import { decide, type Decision, type HostPlan } from "../../plan/deploy.ts";
import { obstacles } from "../../plan/obstacles.ts";
import type { HostFacts } from "../../plan/facts.ts";
import type { Run } from "../run.ts";

/** Which version a role is to run on a host. */
export type Wanted = (role: Role, facts: HostFacts) => string;

/** What is to happen on each selected host, by what was seen there. */
export function plansFor(
  run: Run,
  facts: ReadonlyMap<string, HostFacts>,
  { wanted, ...how }: { wanted: Wanted } & Pick<Decision, "reuse" | "promote" | "share">,
): HostPlan[] {
  return run.selection.app.map(({ host, roles }) => {
    const seen = facts.get(host)!;
    const plans = roles.flatMap((role) =>
      decide({
        config: run.config,
        version: wanted(role, seen),
        targets: [{ host, roles: [role] }],
        facts,
        newId: run.newId,
        ...how,
        traefikArguments: traefikArguments(run.config),
      }),
    );
    const routed = plans.find(({ traefik }) => traefik.action !== "none") ?? plans[0]!;
    return { ...routed, roles: plans.flatMap((plan) => plan.roles) };
  });
}

/** @throws MrskError with all that cannot work, before anything is touched */
export function refuse(plans: readonly HostPlan[]): void {
  const found = plans.flatMap((plan) => obstacles(plan).map((text) => `${plan.host}: ${text}`));
  if (found.length > 0) throw new MrskError(ExitCode.remote, found.join("\n"));
}
