import { recordVersion } from "../../commands/versions.ts";
import { attempt, type Script, type Step } from "../../script/script.ts";
import type { Secret } from "../../config/env/secret.ts";
import { traefikOn } from "../../config/traefik.ts";
import { CommandFailedError, ExitCode, MrskError, UnhealthyError } from "../../errors.ts";
import { onHosts, onHostsTogether } from "../../hosts/on-hosts.ts";
import { type HostPlan, isCanary, type RolePlan } from "../../plan/deploy.ts";
import { collectAssetsOfBoth } from "../app/assets.ts";
import { auditBoot, auditStart } from "../audit.ts";
import { revertHosts, runWithReconnect, reportStates, type HostRollout } from "./revert.ts";
import { hookAfterwards, runHook, timestamp } from "../hook.ts";
import { hostPhases } from "./phases.ts";
import { isDrain, startsAtSwitch } from "./role-phases.ts";
import { type Run, stopIfInterrupted } from "../run.ts";
import { traefikError } from "../traefik/errors.ts";
import { ExitStatus } from "../../shell/exit-status.ts";

export interface RollOutOptions {
  /** The version that boots; undefined: stopped containers start again, which is no boot, so its hooks do not run. */
  readonly version: string | undefined;
  readonly prune: boolean;
  /** Whether a failure reverts every host, or leaves the hosts as they are for an inspection. */
  readonly revert: boolean;
  /** The version is a canary by host: other hosts stay with the version before. */
  readonly canary?: boolean;
}

/**
 * Executes the plans, group by group. All hosts of a group start, then all switch, then all are watched, and only then the
 * old containers stop. Any failure before the last group has passed its watch reverts every host, and so does an
 * interruption before the last group has switched. From then on the new version stays, and only cleanup is left: a host
 * where the cleanup fails is reported.
 */
export async function rollOut(
  run: Run,
  plans: readonly HostPlan[],
  secrets: ReadonlyMap<string, Secret>,
  options: RollOutOptions,
): Promise<void> {
  const rollouts = plans.map((plan) => ({
    name: plan.host,
    host: run.host(plan.host),
    plan,
    phases: hostPhases(traefikOn(run.config, plan.host), plan, secrets, run.newId, options),
    progress: undefined,
    switchedAt: undefined,
  }));
  await collectAssetsOfBoth(run, plans);
  const groups = groupsOf<HostRollout>(rollouts, run.config.boot.limit);
  const { version } = options;
  let cleanupError: unknown;
  try {
    for (const [index, group] of groups.entries()) {
      const last = index === groups.length - 1;
      if (index > 0) await run.clock.sleep(run.config.boot.waitSeconds, run.signal);
      stopIfInterrupted(run);
      const names = { MRSK_HOSTS: group.map(({ name }) => name).join(",") };
      if (version !== undefined) await runHook(run, "pre-app-boot", version, names);
      await startGroup(run, group, index === 0);
      stopIfInterrupted(run);
      await switchGroup(run, group, index === 0);
      if (!last) stopIfInterrupted(run);
      await watchGroup(run, group, last ? undefined : run.signal);
      const finalizing = finalizeGroup(run, group, options);
      if (last) await finalizing.catch((error: unknown) => (cleanupError = error));
      else await finalizing;
      if (version !== undefined && cleanupError === undefined)
        await (last ? hookAfterwards : runHook)(run, "post-app-boot", version, names);
    }
  } catch (error) {
    if (options.revert) await revertHosts(run, rollouts, error);
    else reportStates(run, rollouts);
    throw error;
  }
  if (cleanupError) throw cleanupFailed(cleanupError);
}

function auditStep(run: Run, plan: HostPlan, { version, prune }: RollOutOptions): Promise<Step> {
  return version === undefined ? auditStart(run, plan) : auditBoot(run, plan, { prune });
}

function groupsOf<T>(items: readonly T[], limit: number | undefined): T[][] {
  const size = limit ?? Math.max(1, items.length);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/**
 * The gate: one host of the primary role starts first, so that a broken version reaches one host only. In the first group
 * alone, and in the phase in which the primary role starts.
 */
async function throughGate(
  run: Run,
  group: readonly HostRollout[],
  gated: boolean,
  { late }: { late: boolean },
  work: (group: readonly HostRollout[]) => Promise<void>,
): Promise<void> {
  const primary = ({ plan }: HostRollout) => plan.roles.find(({ role }) => role.name === run.config.primaryRole);
  const first = group.find((rollout) => primary(rollout));
  if (!gated || !first || group.length === 1 || startsAtSwitch(primary(first)!) !== late) return work(group);
  run.report({ kind: "note", host: first.name, text: "starts first; the other hosts start when it is healthy" });
  await work([first]);
  stopIfInterrupted(run);
  await work(group.filter((rollout) => rollout !== first));
}

function startGroup(run: Run, all: readonly HostRollout[], gated: boolean): Promise<void> {
  return throughGate(run, all, gated, { late: false }, (group) =>
    onHostsTogether(group, run.signal, (rollout, signal) => start(run, rollout, signal)),
  );
}

async function start(run: Run, rollout: HostRollout, signal: AbortSignal): Promise<void> {
  const began = run.clock.now().getTime();
  const { roles, traefik } = rollout.plan;
  const early = roles.filter((role) => !startsAtSwitch(role));
  if (early.length === 0 && traefik.action !== "run" && traefik.action !== "start") return;
  rollout.progress = "starting";
  await phase(rollout, rollout.phases.start(), signal);
  rollout.progress = "started";
  const seconds = ((run.clock.now().getTime() - began) / 1000).toFixed(1);
  for (const { next } of early) {
    run.report({ kind: "note", host: rollout.name, text: `${next.name} is healthy after ${seconds} s` });
  }
}

/** Ignores interruptions: a host must not end between two versions. */
function switchGroup(run: Run, all: readonly HostRollout[], gated: boolean): Promise<void> {
  return throughGate(run, all, gated, { late: true }, async (group) => {
    await onHosts(group, async (rollout) => {
      rollout.progress = "switching";
      await phase(rollout, rollout.phases.switch());
      rollout.progress = "switched";
      rollout.switchedAt = run.clock.now();
      for (const role of rollout.plan.roles) {
        run.report({ kind: "note", host: rollout.name, text: liveText(role) });
      }
    });
  });
}

function liveText({ next, old, percent }: RolePlan): string {
  if (percent !== undefined) return `${next.name} gets ${percent}% of the requests, ${old!.name} the others`;
  return `${next.name} is live${old && old.name !== next.name ? ` instead of ${old.name}` : ""}`;
}

async function watchGroup(run: Run, group: readonly HostRollout[], signal: AbortSignal | undefined): Promise<void> {
  const { watchSeconds } = run.config.boot;
  if (watchSeconds === 0) return;
  run.report({ kind: "title", text: `Watch the new containers for ${watchSeconds} seconds...` });
  await onHostsTogether(group, signal, (rollout, enough) => phase(rollout, rollout.phases.watch(watchSeconds), enough));
}

async function finalizeGroup(run: Run, group: readonly HostRollout[], options: RollOutOptions): Promise<void> {
  if (group.some(({ plan }) => !isCanary(plan) && plan.roles.some(({ old }) => old))) {
    run.report({ kind: "title", text: "Stop the old containers..." });
  }
  await onHosts(group, async (rollout) => {
    rollout.progress = "finalized";
    const audited = await auditStep(run, rollout.plan, options);
    const record = isCanary(rollout.plan) ? [] : [await recordStep(run, rollout.plan, options)];
    const pastSeconds = (run.clock.now().getTime() - (rollout.switchedAt ?? run.clock.now()).getTime()) / 1000;
    const work = rollout.phases.finalize([audited, ...record], pastSeconds, options);
    const result = await runWithReconnect(run, rollout.host, work);
    for (const step of result.steps) {
      const { name, status, stdout, stderr } = step;
      if (status !== 0) {
        const text = `${name}: exit status ${status} ${stderr.trim()}`;
        run.report({ kind: "warning", host: rollout.name, text });
      } else if (isDrain(step) && stdout.trim()) {
        run.report({ kind: "note", host: rollout.name, text: `${name}: ${stdout.trim()}` });
      }
    }
  });
}

function cleanupFailed(error: unknown): MrskError {
  const { exitCode, message } = error instanceof MrskError ? error : new MrskError(ExitCode.bug, String(error));
  return new MrskError(exitCode, `The new version is live on every host. Cleanup failed:\n${message}`, {
    hint: "The old container may still run on that host, without requests. `mrsk deploy` stops it, and so does `mrsk app stale-containers --stop`.",
    cause: error,
  });
}

async function recordStep(run: Run, { roles, facts }: HostPlan, { canary = false }: RollOutOptions): Promise<Step> {
  const { version } = roles[0]!.next;
  const entry = { at: timestamp(run.clock.now()), version, performer: await run.performer(), canary };
  return attempt("Record the version", recordVersion(run.config, entry, { full: facts.releasesFull }));
}

/** Runs the script of a phase. @throws UnhealthyError if the next container did not become healthy */
async function phase({ name, host }: HostRollout, script: Script, signal?: AbortSignal): Promise<void> {
  try {
    await host.run(script, signal ? { signal } : {});
  } catch (error) {
    if (error instanceof CommandFailedError && error.status === ExitStatus.NOT_HEALTHY) {
      throw new UnhealthyError(`${name}: ${error.step}: the new version did not become healthy\n${error.output}`, {
        cause: error,
      });
    }
    throw traefikError(error);
  }
}
