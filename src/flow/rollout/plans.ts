import { traefikArguments } from "../../commands/traefik.ts";
import { traefikOn } from "../../config/traefik.ts";
import { ExitCode, MrskError } from "../../errors.ts";
import { decide, type Decision, type HostPlan } from "../../plan/deploy.ts";
import { obstacles } from "../../plan/obstacles.ts";
import type { HostFacts } from "../../plan/facts.ts";
import type { Run } from "../run.ts";

/** The plan of each selected host, from the facts of the host. */
export function plansFor(
  run: Run,
  facts: ReadonlyMap<string, HostFacts>,
  how: Pick<Decision, "versionOn" | "reuse" | "promote" | "percent">,
): HostPlan[] {
  const { newId } = run;
  return run.selection.app.map(({ host, roles }) => {
    const config = traefikOn(run.config, host);
    return decide({
      config,
      roles,
      facts: facts.get(host)!,
      newId,
      traefikArguments: traefikArguments(config),
      ...how,
    });
  });
}

/** @throws MrskError with every obstacle on every host, before anything is changed */
export function refuse(plans: readonly HostPlan[]): void {
  const found = plans.flatMap((plan) => obstacles(plan).map((text) => `${plan.host}: ${text}`));
  if (found.length > 0) throw new MrskError(ExitCode.remote, found.join("\n"));
}
