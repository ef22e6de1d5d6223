import { tagLatest } from "../../commands/app.ts";
import { type Body, lines, sh } from "../../script/command.ts";
import { waitForDocker, watch } from "../../commands/waits.ts";
import { stopSeconds, stopWithoutRestart } from "../../commands/restart-policy.ts";
import { joinNetworks, networkSteps } from "../../commands/network.ts";
import { pruneImages } from "../../commands/prune.ts";
import { forgetVersion } from "../../commands/versions.ts";
import { attempt, capture, type Script, script, type Step, step } from "../../script/script.ts";
import { PROBE_PORT, startTraefikContainer } from "../../commands/traefik.ts";
import { startOrRunTraefik } from "../../commands/traefik-boot.ts";
import type { Config } from "../../config/config.ts";
import type { Secret } from "../../config/env/secret.ts";
import { type HostPlan, isCanary } from "../../plan/deploy.ts";
import { cleanAssetsSteps } from "../app/assets.ts";
import { weightedSteps, weightSteps, undoPromotionSteps, undoWeightSteps } from "./canary-phases.ts";
import { RolePhases } from "./role-phases.ts";
import { revertStart, revertStopFirst, hasSwitched, type Progress, undoSteps } from "./role-undo.ts";
import { TRAEFIK } from "../../shell/constants.ts";

/** The scripts of every phase for one host. */
export interface HostPhases {
  readonly start: () => Script;
  readonly switch: () => Script;
  readonly watch: (seconds: number) => Script;
  /** @param pastSeconds since the switch: the old containers have had no new requests for so long */
  readonly finalize: (audit: readonly Step[], pastSeconds: number, options: { prune: boolean }) => Script;
  readonly undo: (audit: readonly Step[], progress: Progress) => Script;
}

/** @param revert whether a start or a switch reverts its own changes if it fails, or loses its connection */
export function hostPhases(
  config: Config,
  plan: HostPlan,
  secrets: ReadonlyMap<string, Secret>,
  newId: (digits: number) => string,
  { revert }: { revert: boolean },
): HostPhases {
  const roles = plan.roles.map((rolePlan) => new RolePhases(config, plan, rolePlan, secrets, newId));
  const early = roles.filter((role) => !role.startsAtSwitch);
  const late = roles.filter((role) => role.startsAtSwitch);
  const { version } = plan.roles[0]!.next;
  return {
    start: () =>
      withCleanup(
        { title: "Start", end: "Ready" },
        [
          ...networkSteps(config),
          ...traefikSteps(config, plan, secrets),
          ...early.flatMap((role) => role.startSteps()),
        ],
        revert ? early.map(revertStart) : [],
      ),
    switch: () =>
      withCleanup(
        { title: "Switch", end: "Switched" },
        [...early.flatMap(switchSteps), ...late.flatMap((role) => [...role.startSteps(), ...role.switchSteps()])],
        // With start_first the old container still runs, and the undo phase or the next run handles the new one.
        revert ? late.filter((role) => role.stopFirst).map(revertStopFirst) : [],
      ),
    watch: (seconds) =>
      script("Watch", [
        step(
          `Watch for ${seconds} s (${roles.map(({ plan: { role } }) => role.name).join(", ")})`,
          watch(
            roles.map((role) => role.watched()),
            seconds,
          ),
        ),
      ]),
    finalize: (audit, pastSeconds, { prune }) =>
      script("Finalize", [
        ...finalizeSteps(roles, config, pastSeconds, { prune }),
        ...plan.roles.flatMap(({ role }) => cleanAssetsSteps(config, role, plan.facts)),
        ...(isCanary(plan) ? [] : [attempt("Tag latest", tagLatest(config, version))]),
        ...(prune ? [attempt("Prune images", pruneImages(config))] : []),
        ...audit,
      ]),
    undo: (audit, progress) =>
      script("Revert", [
        step("Wait for docker", waitForDocker()),
        // An engine that was killed may not restart it.
        ...(plan.traefik.action === "none" ? [] : [attempt("Ensure Traefik runs", startTraefikContainer())]),
        ...roles.flatMap((role) => revertSteps(role, progress)),
        ...(progress === "finalized" && !isCanary(plan)
          ? [attempt("Remove the version from the list", forgetVersion(config, version))]
          : []),
        ...audit,
      ]),
  };
}

/** A script that completes every step, or runs the cleanup: also when the connection is lost. */
function withCleanup(
  { title, end }: { title: string; end: string },
  steps: readonly Step[],
  cleanup: readonly Body[],
): Script {
  if (cleanup.length === 0) return script(title, steps);
  const completed = capture("completed", end, sh`echo yes`);
  return script(
    title,
    [...steps, completed],
    sh`[ ${completed.output} = yes ] || {
${lines(...cleanup)}
}`,
  );
}

function switchSteps(role: RolePhases): Step[] {
  return role.plan.percent === undefined ? role.switchSteps() : weightSteps(role);
}

/** Drains every role, then stops all old containers that have the same time to stop with one command. */
function finalizeSteps(
  roles: readonly RolePhases[],
  config: Config,
  pastSeconds: number,
  options: { prune: boolean },
): Step[] {
  const stopping = roles.filter((role) => role.idsToStop().length > 0);
  const limits = new Set(stopping.map(({ plan }) => stopSeconds(config, plan.role)));
  const stops = [...limits].map((seconds) => {
    const those = stopping.filter(({ plan }) => stopSeconds(config, plan.role) === seconds);
    const ids = those.flatMap((role) => role.idsToStop());
    const names = those.map(({ plan }) => plan.role.name).join(", ");
    return attempt(`Stop the old container${ids.length > 1 ? "s" : ""} (${names})`, stopWithoutRestart(ids, seconds));
  });
  return [
    ...roles.flatMap((role) => role.drainSteps(pastSeconds)),
    ...stops,
    ...roles.flatMap((role) => (role.plan.percent === undefined ? role.finalizeSteps(options) : weightedSteps(role))),
  ];
}

function revertSteps(role: RolePhases, progress: Progress): Step[] {
  if (role.plan.percent !== undefined) return undoWeightSteps(role, progress);
  return role.plan.canary && hasSwitched(progress) ? undoPromotionSteps(role, progress) : undoSteps(role, progress);
}

function traefikSteps(config: Config, plan: HostPlan, secrets: ReadonlyMap<string, Secret>): Step[] {
  const join =
    plan.join === undefined ? [] : [step(`Put Traefik on the network ${plan.join}`, joinNetworks(TRAEFIK, plan.join))];
  if (plan.traefik.action === "start") return [...join, step("Start Traefik", startTraefikContainer())];
  if (plan.traefik.action !== "run") return join;
  const publishProbePort = !plan.facts.listeners.has(PROBE_PORT);
  return [step("Start Traefik", startOrRunTraefik(config, plan.facts, secrets, { publishProbePort }))];
}
