import type { HostPlan } from "../../plan/deploy.ts";
import type { HostFacts } from "../../plan/facts.ts";
import type { CanaryTarget } from "../../plan/canary-target.ts";
import { namedTransports } from "../../traefik/proxy-labels.ts";
import { partsOf } from "../../traefik/routing.ts";
import { versionToBoot } from "../app/app.ts";
import { isRoleInMaintenance } from "../app/maintenance.ts";
import { withLock } from "../lock.ts";
import { appHosts, begin, type Run } from "../run.ts";
import { secureHosts } from "../certificates/secure-hosts.ts";
import { appSecrets } from "../secrets.ts";
import { observeRepaired } from "../traefik/repair.ts";
import { noteDifference } from "../traefik/traefik.ts";
import { refuseUnsupported } from "../unsupported.ts";
import { endCanaries } from "./canary.ts";
import { plansFor, refuse } from "./plans.ts";
import { rollOut } from "./roll-out.ts";

/** `revert`: after a failure every host returns to what it ran (the default), or stays as it is for an inspection. */
export interface RevertOption {
  readonly revert?: boolean | undefined;
}

/** `percent` is a percentage of the requests; undefined: the selected hosts run the version, the others stay. */
export type CanaryPercent = Pick<CanaryTarget, "percent">;

export interface BootOptions extends RevertOption {
  /** Whether a kept container of the version starts again; else a new one is made. */
  readonly reuse: boolean;
  readonly prune: boolean;
  readonly canary?: CanaryPercent | undefined;
  /** Whether canaries of the version become live, instead of being reverted first. */
  readonly promote?: boolean;
  /** The facts of the hosts as of a moment ago; undefined: the hosts are observed. */
  readonly seen?: ReadonlyMap<string, HostFacts> | undefined;
}

/** Makes the version live on the selected hosts: observe, decide, act. */
export async function bootVersion(
  run: Run,
  version: string,
  { reuse, prune, canary, promote = false, revert = true, ...before }: BootOptions,
): Promise<void> {
  begin(run, `Start containers with version ${version}...`);
  const seen = before.seen ?? (await observeRepaired(run, appHosts(run), version));
  const facts = promote ? seen : await endCanaries(run, version, seen);
  const plans = plansFor(run, facts, { versionOn: () => version, reuse, promote, percent: canary?.percent });
  refuse(plans);
  for (const plan of plans) {
    noteDifference(run, plan.host, plan.traefik);
    noteClosedDirectory(run, plan);
    noteResponseTimeout(run, plan);
    noteHealthcheck(run, plan);
    noteMaintenance(run, plan);
  }
  const roles = run.selection.app.flatMap((target) => target.roles);
  await rollOut(run, plans, await appSecrets(run, roles), { version, prune, revert, canary: canary !== undefined });
  await secureHosts(
    run,
    plans.map((plan) => ({
      host: plan.host,
      facts: plan.facts,
      roles: plan.roles.map(({ role }) => role),
      startedTraefik: plan.traefik.action === "run",
    })),
  );
}

/** A deploy does not end it. */
function noteMaintenance(run: Run, { host, facts, roles }: HostPlan): void {
  const names = roles.filter(({ role }) => isRoleInMaintenance(run, role, facts)).map(({ role }) => role.name);
  if (names.length === 0) return;
  run.report({ kind: "note", host, text: `in maintenance (${names.join(", ")}): \`mrsk app live\` ends it` });
}

/** Docker's health check cannot run in the image. */
function noteHealthcheck(run: Run, { host, roles }: HostPlan): void {
  if (roles.every(({ usesDockerHealthcheck }) => usesDockerHealthcheck)) return;
  const text = "the image has no curl for docker's health check: only the probe route checks the container";
  run.report({ kind: "note", host, text });
}

/** Another login user made the directory: labels route, as with a Traefik without live files. */
function noteClosedDirectory(run: Run, { host, facts, roles }: HostPlan): void {
  if (facts.liveDirectoryWritable || !roles.some(({ routing }) => routing === "labels")) return;
  const text = `${facts.user} may not write the live files in ${facts.liveDirectory}: labels decide, and requests may be lost. Deploy as the user who made it, or as one with sudo.`;
  run.report({ kind: "note", host, text });
}

/** Only a live file can define the limit. */
function noteResponseTimeout(run: Run, { host, roles }: HostPlan): void {
  const unlimited = roles.filter(
    ({ role, routing, next }) =>
      routing === "labels" &&
      role.proxy !== undefined &&
      role.proxy.responseTimeoutSeconds > 0 &&
      namedTransports(partsOf(next, "http")).length === 0,
  );
  if (unlimited.length === 0) return;
  const names = unlimited.map(({ role }) => role.name).join(", ");
  const text = `proxy.response_timeout is not applied (${names}): Traefik reads no live files here`;
  run.report({ kind: "note", host, text });
}

/** `app boot`: a new container of `--version`, or of the live version. */
export async function bootApp(run: Run, { revert }: RevertOption = {}): Promise<void> {
  refuseUnsupported(run);
  appHosts(run);
  await withLock(run, async () => {
    await bootVersion(run, await versionToBoot(run), { reuse: false, prune: false, revert });
  });
}
