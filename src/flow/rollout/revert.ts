import { containerPrefix, versionOf } from "../../config/names.ts";
import type { Script } from "../../script/script.ts";
import { InterruptedError, MrskError, SshError } from "../../errors.ts";
import type { Host } from "../../hosts/host.ts";
import type { ScriptResult } from "../../script/result.ts";
import type { HostPlan, RolePlan } from "../../plan/deploy.ts";
import { outcomes } from "../audit.ts";
import type { HostPhases } from "./phases.ts";
import { hasSwitched, type Progress } from "./role-undo.ts";
import type { Run } from "../run.ts";

/** The rollout on one host. */
export interface HostRollout {
  readonly name: string;
  readonly host: Host;
  readonly plan: HostPlan;
  readonly phases: HostPhases;
  /** undefined: nothing was changed, so there is nothing to undo. */
  progress: Progress | undefined;
  switchedAt: Date | undefined;
}

/** Returns every changed host to the version before. Reports a host that cannot be reached, with the container it serves. */
export async function revertHosts(run: Run, rollouts: readonly HostRollout[], reason: unknown): Promise<void> {
  const changed = rollouts.filter(({ progress }) => progress !== undefined);
  if (changed.length === 0) return;
  const why = reason instanceof InterruptedError ? "was interrupted" : "failed";
  run.report({
    kind: "title",
    text: `The deploy ${why}: reverting ${changed.map(({ name }) => name).join(", ")} to the version before...`,
  });
  await Promise.all(changed.map((rollout) => revertHost(run, rollout)));
}

async function revertHost(run: Run, { name, host, plan, phases, progress }: HostRollout): Promise<void> {
  try {
    const line = await outcomes(
      run,
      plan.roles.map(({ role, next }) => [`Reverted from version ${next.version}`, role.name]),
    );
    const result = await runWithReconnect(run, host, phases.undo([line], progress!));
    for (const { name: step, status, stderr } of result.steps) {
      if (status) run.report({ kind: "warning", host: name, text: `${step}: exit status ${status} ${stderr.trim()}` });
    }
    for (const { role, old, next, canary } of plan.roles) {
      const suffix = canary ? `, with ${next.name} as its canary` : "";
      run.report({
        kind: "note",
        host: name,
        text: `role ${role.name} runs ${old?.name ?? "nothing, as before"}${suffix}`,
      });
    }
  } catch (error) {
    const message = error instanceof MrskError ? error.message : String(error);
    run.report({
      kind: "warning",
      host: name,
      text: `could not be reverted, and serves ${plan.roles.map((role) => serves(role, progress!)).join(", ")}: ${message}. Deploy again when it is back.`,
    });
  }
}

/** If the connection was lost during the switch, either container may be live. */
function serves({ old, next }: RolePlan, progress: Progress): string {
  const before = old?.name ?? "nothing";
  if (progress === "switching") return `${before} or ${next.name}`;
  return hasSwitched(progress) ? next.name : before;
}

/** For `--no-revert`: reports what each host serves, and the commands to continue. */
export function reportStates(run: Run, rollouts: readonly HostRollout[]): void {
  run.report({ kind: "title", text: "Nothing is reverted (--no-revert):" });
  for (const { name, plan, progress } of rollouts) {
    for (const role of plan.roles) run.report({ kind: "note", host: name, text: stateText(role, progress) });
  }
  const before = new Set(
    rollouts.flatMap(({ plan }) =>
      plan.roles.map(({ role, old }) => old && versionOf(containerPrefix(run.config, role), old.name)),
    ),
  );
  const [version] = before;
  const back = before.size === 1 && version !== undefined ? `mrsk rollback ${version}` : "mrsk rollback VERSION";
  run.report({
    kind: "note",
    text: `To inspect: mrsk app containers, and docker logs NAME there. To roll back: ${back}. To continue: fix the cause, then mrsk deploy.`,
  });
}

function stateText(role: RolePlan, progress: Progress | undefined): string {
  const { next, old } = role;
  const what = `role ${role.role.name} serves ${progress ? serves(role, progress) : (old?.name ?? "nothing")}`;
  if (progress === undefined) return `${what}, as before`;
  if (progress === "finalized") return old ? `${what}; ${old.name} is stopped` : what;
  if (hasSwitched(progress)) return old ? `${what}; ${old.name} still runs` : what;
  return `${what}; ${next.name} runs alongside it`;
}

const RECONNECT_AFTER_SECONDS = 2;

/** Runs a script that may run twice; again on a new connection if the first one was lost. */
export async function runWithReconnect(run: Run, host: Host, script: Script): Promise<ScriptResult> {
  try {
    return await host.run(script);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    await run.clock.sleep(RECONNECT_AFTER_SECONDS);
    return host.run(script);
  }
}
