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
export interface Traveller {
  readonly name: string;
  readonly host: Host;
  readonly plan: HostPlan;
  readonly phases: HostPhases;
  /** undefined: nothing was touched, so nothing is to be undone. */
  progress: Progress | undefined;
  switchedAt: Date | undefined;
}

/** Every host back to what it ran. What cannot be reached is named, with what it runs. */
export async function goBack(run: Run, travellers: readonly Traveller[], reason: unknown): Promise<void> {
  const changed = travellers.filter(({ progress }) => progress !== undefined);
  if (changed.length === 0) return;
  const why = reason instanceof InterruptedError ? "was interrupted" : "failed";
  run.report({
    kind: "title",
    text: `The deploy ${why}: taking ${changed.map(({ name }) => name).join(", ")} back to the version before...`,
  });
  await Promise.all(changed.map((traveller) => takeBack(run, traveller)));
}

async function takeBack(run: Run, { name, host, plan, phases, progress }: Traveller): Promise<void> {
  try {
    const line = await outcomes(
      run,
      plan.roles.map(({ role, next }) => [`Went back from version ${next.version}`, role.name]),
    );
    const result = await oncemore(run, host, phases.undo([line], progress!));
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
      text: `could not be taken back, and serves ${plan.roles.map((role) => serves(role, progress!)).join(", ")}: ${said}. Deploy again when it is back.`,
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
export function tellWhereTheyAre(run: Run, travellers: readonly Traveller[]): void {
  run.report({ kind: "title", text: "Nothing is taken back (--no-revert):" });
  for (const { name, plan, progress } of travellers) {
    for (const role of plan.roles) run.report({ kind: "note", host: name, text: whereItIs(role, progress) });
  }
  const before = new Set(
    travellers.flatMap(({ plan }) =>
      plan.roles.map(({ role, old }) => old && versionOf(containerPrefix(run.config, role), old.name)),
    ),
  );
  const [version] = before;
  const back = before.size === 1 && version !== undefined ? `mrsk rollback ${version}` : "mrsk rollback VERSION";
  run.report({
    kind: "note",
    text: `To look: mrsk app containers, and docker logs NAME there. To go back: ${back}. To go on: mend the cause, and mrsk deploy.`,
  });
}

function whereItIs(role: RolePlan, progress: Progress | undefined): string {
  const { next, old } = role;
  const what = `role ${role.role.name} serves ${progress ? serves(role, progress) : (old?.name ?? "nothing")}`;
  if (progress === undefined) return `${what}, as before`;
  if (progress === "settled") return old ? `${what}; ${old.name} is stopped` : what;
  if (hasSwitched(progress)) return old ? `${what}; ${old.name} is still there` : what;
  return `${what}; ${next.name} is beside it`;
}

const AGAIN_AFTER_SECONDS = 2;

/** Once more on a new connection, where the first one was lost: for what may be run twice. */
export async function oncemore(run: Run, host: Host, script: Script): Promise<ScriptResult> {
  try {
    return await host.run(script);
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    await run.clock.sleep(AGAIN_AFTER_SECONDS);
    return host.run(script);
  }
}
