import { tagLatest } from "../commands/app.ts";
import { lines, sh } from "../commands/command.ts";
import { joinNetworks, networkSteps } from "../commands/network.ts";
import { pruneImages } from "../commands/prune.ts";
import { attempt, capture, type Script, script, type Step, step } from "../commands/script.ts";
import { PREVIEW_PORT, startTraefikContainer, TRAEFIK } from "../commands/traefik.ts";
import { startOrRunTraefik } from "../commands/traefik-boot.ts";
import type { Config } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import type { HostPlan } from "../plan/deploy.ts";
import { cleanAssetsSteps } from "./assets.ts";
import { type Progress, RolePhases } from "./role-phases.ts";

/** What the phases of one deploy share on one host. */
export interface HostPhases {
  readonly start: () => Script;
  readonly switch: () => Script;
  readonly watch: (seconds: number) => Script;
  readonly settle: (audit: readonly Step[], prune: boolean) => Script;
  readonly undo: (audit: readonly Step[], started: Progress) => Script;
}

/** The scripts of every phase for one host. */
export function hostPhases(
  config: Config,
  plan: HostPlan,
  secrets: ReadonlyMap<string, Secret>,
  newId: (digits: number) => string,
): HostPhases {
  const roles = plan.roles.map((rolePlan) => new RolePhases(config, plan, rolePlan, secrets, newId));
  return {
    start: () =>
      script(
        "Start",
        [
          ...networkSteps(config),
          ...traefikSteps(config, plan, secrets),
          ...roles.filter((role) => role.routed).flatMap((role) => role.startSteps()),
          capture("prepared", "Ready", sh`echo yes`),
        ],
        sh`[ "$prepared" = yes ] || {
${lines(...roles.filter((role) => role.routed).map((role) => role.abandon()), sh`:`)}
}`,
      ),
    switch: () =>
      script("Switch", [
        ...roles.filter((role) => role.routed).flatMap((role) => role.switchSteps()),
        ...roles.filter((role) => !role.routed).flatMap((role) => role.startSteps()),
      ]),
    watch: (seconds) =>
      script(
        "Watch",
        roles.map((role) => role.watchStep(seconds)),
      ),
    settle: (audit, prune) =>
      script("Settle", [
        ...roles.flatMap((role) => role.settleSteps(prune)),
        ...plan.roles.flatMap(({ role }) => cleanAssetsSteps(config, role, plan.facts)),
        attempt("Tag latest", tagLatest(config, plan.roles[0]!.next.version)),
        ...(prune ? [attempt("Prune images", pruneImages(config))] : []),
        ...audit,
      ]),
    undo: (audit, started) => script("Go back", [...roles.flatMap((role) => role.undoSteps(started)), ...audit]),
  };
}

function traefikSteps(config: Config, plan: HostPlan, secrets: ReadonlyMap<string, Secret>): Step[] {
  const join =
    plan.join === undefined ? [] : [step(`Put Traefik on the network ${plan.join}`, joinNetworks(TRAEFIK, plan.join))];
  if (plan.traefik.action === "start") return [...join, step("Start Traefik", startTraefikContainer())];
  if (plan.traefik.action !== "run") return join;
  const publishPreview = !plan.facts.listeners.has(PREVIEW_PORT);
  return [step("Start Traefik", startOrRunTraefik(config, plan.facts.liveDirectory, secrets, { publishPreview }))];
}
