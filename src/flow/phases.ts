import { tagLatest } from "../commands/app.ts";
import { type Body, lines, sh } from "../commands/command.ts";
import { anyway } from "../commands/cutover.ts";
import { joinNetworks, networkSteps } from "../commands/network.ts";
import { pruneImages } from "../commands/prune.ts";
import { attempt, capture, type Script, script, type Step, step } from "../commands/script.ts";
import { PREVIEW_PORT, startTraefikContainer, TRAEFIK } from "../commands/traefik.ts";
import { startOrRunTraefik } from "../commands/traefik-boot.ts";
import type { Config } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import { type HostPlan, isTrial } from "../plan/deploy.ts";
import { cleanAssetsSteps } from "./assets.ts";
import { settleShareSteps, shareSteps, undoPromotionSteps, undoShareSteps } from "./canary-phases.ts";
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
${lines(...roles.filter((role) => role.routed).map(abandon), sh`:`)}
}`,
      ),
    switch: () =>
      script("Switch", [
        ...roles.filter((role) => role.routed).flatMap(switchSteps),
        ...roles.filter((role) => !role.routed).flatMap((role) => role.startSteps()),
      ]),
    watch: (seconds) =>
      script(
        "Watch",
        roles.map((role) => role.watchStep(seconds)),
      ),
    settle: (audit, prune) =>
      script("Settle", [
        ...roles.flatMap((role) => settleSteps(role, prune)),
        ...plan.roles.flatMap(({ role }) => cleanAssetsSteps(config, role, plan.facts)),
        ...(isTrial(plan) ? [] : [attempt("Tag latest", tagLatest(config, plan.roles[0]!.next.version))]),
        ...(prune ? [attempt("Prune images", pruneImages(config))] : []),
        ...audit,
      ]),
    undo: (audit, started) => script("Go back", [...roles.flatMap((role) => undoSteps(role, started)), ...audit]),
  };
}

function switchSteps(role: RolePhases): Step[] {
  return role.plan.share === undefined ? role.switchSteps() : shareSteps(role);
}

function settleSteps(role: RolePhases, prune: boolean): Step[] {
  return role.plan.share === undefined ? role.settleSteps(prune) : settleShareSteps(role);
}

function undoSteps(role: RolePhases, progress: Progress): Step[] {
  if (role.plan.share !== undefined) return undoShareSteps(role, progress);
  return role.plan.canary ? undoPromotionSteps(role, progress) : role.undoSteps(progress);
}

/** What ran before as a canary, or was live, goes on. */
function abandon(role: RolePhases): Body {
  const { canary, next, old } = role.plan;
  if (!role.viaFile || !(canary || (next.kept && next.kept === old))) return role.abandon();
  return anyway(role.restored());
}

function traefikSteps(config: Config, plan: HostPlan, secrets: ReadonlyMap<string, Secret>): Step[] {
  const join =
    plan.join === undefined ? [] : [step(`Put Traefik on the network ${plan.join}`, joinNetworks(TRAEFIK, plan.join))];
  if (plan.traefik.action === "start") return [...join, step("Start Traefik", startTraefikContainer())];
  if (plan.traefik.action !== "run") return join;
  const publishPreview = !plan.facts.listeners.has(PREVIEW_PORT);
  return [step("Start Traefik", startOrRunTraefik(config, plan.facts.liveDirectory, secrets, { publishPreview }))];
}
