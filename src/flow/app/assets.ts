import { cleanAssets, collectAssets } from "../../commands/assets.ts";
import { ID_LABEL } from "../../traefik/labels.ts";
import { image } from "../../config/names.ts";
import { attempt, script, type Step, step } from "../../script/script.ts";
import type { Config, Role } from "../../config/config.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import type { HostPlan } from "../../plan/deploy.ts";
import type { HostFacts } from "../../plan/facts.ts";
import { begin, type Run } from "../run.ts";

/**
 * Collects the assets of the old and the new version on every host, before the first host switches: a page from one host
 * may request its assets from another host that runs the other version. Does nothing if no role has an `asset_path`.
 */
export async function collectAssetsOfBoth(run: Run, plans: readonly HostPlan[]): Promise<void> {
  const targets = plans
    .map((plan) => ({ name: plan.host, steps: collectSteps(run.config, plan) }))
    .filter(({ steps }) => steps.length > 0);
  if (targets.length === 0) return;
  begin(run, "Collect the assets of the old and the new version...");
  await onHosts(targets, ({ name, steps }) =>
    run.host(name).run(script("Collect assets", steps), { signal: run.signal }),
  );
}

function collectSteps(config: Config, { facts, roles }: HostPlan): Step[] {
  return roles.flatMap(({ role, next, old }) => {
    if (role.assetPath === undefined || (next.kept && next.kept === old)) return [];
    const place = { config, role, home: facts.home };
    const from = next.kept
      ? { container: next.kept.id }
      : { image: image(config, next.version), id: next.labels.get(ID_LABEL)! };
    return [step(`Collect assets (${role.name})`, collectAssets(place, role.assetPath, from, old?.id))];
  });
}

/** For the end of a script that removes containers. Also for roles without `asset_path`: they may have had one. */
export function cleanAssetsSteps(config: Config, role: Role, facts: HostFacts): Step[] {
  return [attempt(`Clean up assets (${role.name})`, cleanAssets({ config, role, home: facts.home }))];
}
