import { tagLatest } from "../commands/app.ts";
import { lines, type Shell, sh } from "../commands/command.ts";
import { joinNewTraefik, joinTraefik, networkSteps } from "../commands/network.ts";
import { pruneImages } from "../commands/prune.ts";
import { attempt, capture, type Script, script, type Step, step } from "../commands/script.ts";
import { runTraefik, startTraefikContainer, TRAEFIK } from "../commands/traefik.ts";
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
        ...roles.flatMap((role) => role.settleSteps()),
        ...plan.roles.flatMap(({ role }) => cleanAssetsSteps(config, role, plan.facts)),
        attempt("Tag latest", tagLatest(config, plan.roles[0]!.next.version)),
        ...(prune ? [attempt("Prune images", pruneImages(config))] : []),
        ...audit,
      ]),
    undo: (audit, started) => script("Go back", [...roles.flatMap((role) => role.undoSteps(started)), ...audit]),
  };
}

function traefikSteps(config: Config, plan: HostPlan, secrets: ReadonlyMap<string, Secret>): Step[] {
  const join = plan.join === undefined ? [] : [step(`Put Traefik on the network ${plan.join}`, joinTraefik(plan.join))];
  if (plan.traefik.action === "start") return [...join, step("Start Traefik", startTraefikContainer())];
  if (plan.traefik.action !== "run") return join;
  return [step("Start Traefik", startOrRunTraefik(config, plan.facts.liveDirectory, secrets))];
}

/** Makes the directory first, or docker makes it as root. Two first deploys at once end with one Traefik. */
export function startOrRunTraefik(config: Config, liveDirectory: string, secrets: ReadonlyMap<string, Secret>): Shell {
  return sh`mkdir -p ${liveDirectory}
if docker inspect --type container ${TRAEFIK} >/dev/null 2>&1; then
  ${startTraefikContainer()}
elif ! ${runTraefik(config, liveDirectory, secrets)}; then
  state=$(docker inspect --type container --format '{{.State.Status}}' ${TRAEFIK} 2>/dev/null) || exit 1
  if [ "$state" = created ]; then docker rm ${TRAEFIK} >/dev/null; exit 1; fi
  tries=0
  until [ "$(docker inspect --type container --format '{{.State.Status}}' ${TRAEFIK})" = running ]; do
    tries=$((tries + 1)); [ "$tries" -lt 50 ] || exit 1; sleep 0.2
  done
else
  ${joinNewTraefik(config)}
fi`;
}
