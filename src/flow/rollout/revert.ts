import { containerPrefix, versionOf } from "../../commands/names.ts";
import type { Script } from "../../script/script.ts";
import { InterruptedError, MrskError, SshError } from "../../errors.ts";
import type { Host, ScriptResult } from "../../hosts/host.ts";
import type { HostPlan, RolePlan } from "../../plan/deploy.ts";
import { outcomes } from "../audit.ts";
import type { HostPhases } from "./phases.ts";
import { hasSwitched, type Progress } from "./role-undo.ts";
import type { Run } from "../run.ts";

/** One host on its way through the phases. */
export interface HostRollout {
  readonly name: string;
  readonly host: Host;
  readonly plan: HostPlan;
  readonly phases: HostPhases;
  /** undefined: nothing was touched, so nothing is to be undone. */
  progress: Progress | undefined;
  switchedAt: Date | undefined;
}

/** Every host back to what it ran. What cannot be reached is named, with what it runs. */
export async function revertHosts(run: Run, rollouts: readonly HostRollout[], reason: unknown): Promise<void> {
  const changed = rollouts.filter(({ progress }) => progress !== undefined);
  if (changed.length === 0) return;
  const why = reason instanceof InterruptedError ? "was interrupted" : "failed";
  run.report({
    kind: "title",
    text: `The deploy ${why}: taking ${changed.map(({ name }) => name).join(", ")} back to the version before...`,
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
      const trial = canary ? `, with ${next.name} as its canary` : "";
      run.report({
        kind: "note",
        host: name,
        text: `role ${role.name} runs ${old?.name ?? "nothing, as before"}${trial}`,
      });
    }
  } catch (error) {
    const said = error instanceof MrskError ? error.message : String(error);
    run.report({
      kind: "warning",
      host: name,
      text: `could not be reverted, and serves ${plan.roles.map((role) => serves(role, progress!)).join(", ")}: ${said}. Deploy again when it is back.`,
    });
  }
}

/** While its switch was under way, nobody here knows which version a host serves. */
function serves({ old, next }: RolePlan, progress: Progress): string {
  const before = old?.name ?? "nothing";
  if (progress === "switching") return `${before} or ${next.name}`;
  return hasSwitched(progress) ? next.name : before;
}

/** For `--no-revert`: what each host runs, and what to type. */
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
  if (progress === "settled") return old ? `${what}; ${old.name} is stopped` : what;
  if (hasSwitched(progress)) return old ? `${what}; ${old.name} is still there` : what;
  return `${what}; ${next.name} runs alongside it`;
}

const RECONNECT_AFTER_SECONDS = 2;

/** Once more on a new connection, where the first one was lost: for what may be run twice. */
export async function runWithReconnect(run: Run, host: Host, script: Script): Promise<ScriptResult> {
  try {
    return await host.run(script);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    await run.clock.sleep(RECONNECT_AFTER_SECONDS);
    return host.run(script);
  }
}
