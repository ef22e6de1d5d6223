import { NOT_HEALTHY } from "../commands/cutover.ts";
import { forgetRelease, recordRelease } from "../commands/releases.ts";
import { attempt, type Script, type Step } from "../commands/script.ts";
import type { Secret } from "../config/secret.ts";
import { CommandFailedError, InterruptedError, MrskError, UnhealthyError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { type HostPlan, isTrial, type RolePlan } from "../plan/deploy.ts";
import { collectAssetsOfBoth } from "./assets.ts";
import { audit, bootLines } from "./audit.ts";
import { runHook, timestamp } from "./hook.ts";
import { hostPhases, type HostPhases } from "./phases.ts";
import type { Progress } from "./role-phases.ts";
import { type Run, stopIfInterrupted } from "./run.ts";
import { explainedTraefik } from "./traefik-errors.ts";

/** One host on its way through the phases. */
interface Traveller {
  readonly name: string;
  readonly host: Host;
  readonly plan: HostPlan;
  readonly phases: HostPhases;
  /** How far it got; undefined: nothing to undo. */
  progress: Progress | undefined;
  /** While its switch is under way, nobody here knows which version it serves. */
  switching: boolean;
}

/**
 * Carries the plans out, group by group: all of a group start, then all switch, then all are watched, and only then do
 * the old containers stop. Whatever fails before the end, on any host, sends every host back to what it ran.
 */
export async function rollOut(
  run: Run,
  plans: readonly HostPlan[],
  secrets: ReadonlyMap<string, Secret>,
  { prune, canary = false }: { prune: boolean; canary?: boolean },
): Promise<void> {
  const travellers = plans.map((plan) => ({
    name: plan.host,
    host: run.host(plan.host),
    plan,
    phases: hostPhases(run.config, plan, secrets, run.newId),
    progress: undefined,
    switching: false,
  }));
  await collectAssetsOfBoth(run, plans);
  const groups = groupsOf<Traveller>(travellers, run.config.boot.limit);
  try {
    for (const [index, group] of groups.entries()) {
      if (index > 0) await run.clock.sleep(run.config.boot.waitSeconds, run.signal);
      stopIfInterrupted(run);
      const names = { MRSK_HOSTS: group.map(({ name }) => name).join(",") };
      await runHook(run, "pre-app-boot", names);
      await startGroup(run, group, index === 0);
      stopIfInterrupted(run);
      await switchGroup(run, group);
      await watchGroup(run, group);
      await settleGroup(run, group, { prune, canary });
      await runHook(run, "post-app-boot", names);
    }
  } catch (error) {
    await goBack(run, travellers, error);
    throw error;
  }
}

function groupsOf<T>(items: readonly T[], limit: number | undefined): T[][] {
  const size = limit ?? Math.max(1, items.length);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** The gate: one host of the primary role starts first, so that a broken version meets one host and no more. */
async function startGroup(run: Run, group: readonly Traveller[], gated: boolean): Promise<void> {
  const { primaryRole } = run.config;
  const first = group.find(({ plan }) => plan.roles.some(({ role }) => role.name === primaryRole));
  if (!gated || !first || group.length === 1) {
    await onHosts(group, (traveller) => start(run, traveller));
    return;
  }
  run.report({ kind: "note", host: first.name, text: "starts first, the others when it is healthy" });
  await start(run, first);
  stopIfInterrupted(run);
  await onHosts(
    group.filter((traveller) => traveller !== first),
    (traveller) => start(run, traveller),
  );
}

async function start(run: Run, traveller: Traveller): Promise<void> {
  const began = run.clock.now().getTime();
  await phase(traveller, traveller.phases.start(), run.signal);
  traveller.progress = "started";
  const routed = traveller.plan.roles.filter(({ routing }) => routing !== "none");
  const seconds = ((run.clock.now().getTime() - began) / 1000).toFixed(1);
  for (const { next } of routed) {
    run.report({ kind: "note", host: traveller.name, text: `${next.name} is healthy after ${seconds} s` });
  }
}

async function switchGroup(run: Run, group: readonly Traveller[]): Promise<void> {
  await onHosts(group, async (traveller) => {
    traveller.progress = "switched";
    traveller.switching = true;
    await phase(traveller, traveller.phases.switch());
    traveller.switching = false;
    for (const role of traveller.plan.roles) {
      run.report({ kind: "note", host: traveller.name, text: whatIsLive(role) });
    }
  });
}

function whatIsLive({ next, old, share }: RolePlan): string {
  if (share !== undefined) return `${next.name} gets ${share}% of the requests, ${old!.name} the others`;
  return `${next.name} is live${old && old.name !== next.name ? ` instead of ${old.name}` : ""}`;
}

async function watchGroup(run: Run, group: readonly Traveller[]): Promise<void> {
  const { watchSeconds } = run.config.boot;
  if (watchSeconds === 0) return;
  run.report({ kind: "title", text: `Watch the new containers for ${watchSeconds} seconds...` });
  await onHosts(group, (traveller) => phase(traveller, traveller.phases.watch(watchSeconds)));
}

async function settleGroup(
  run: Run,
  group: readonly Traveller[],
  { prune, canary }: { prune: boolean; canary: boolean },
): Promise<void> {
  if (group.some(({ plan }) => !isTrial(plan) && plan.roles.some(({ old }) => old))) {
    run.report({ kind: "title", text: "Stop the old containers..." });
  }
  await onHosts(group, async (traveller) => {
    traveller.progress = "settled";
    const { plan, phases } = traveller;
    const lines = await bootLines(run, plan, { prune });
    const record = isTrial(plan) ? [] : [await release(run, plan.roles[0]!.next.version, canary)];
    const result = await traveller.host.run(phases.settle([...lines, ...record], prune));
    for (const step of result.steps) {
      if (step.status !== 0) {
        run.report({
          kind: "warning",
          host: traveller.name,
          text: `${step.name}: exit status ${step.status} ${step.stderr.trim()}`,
        });
      } else if (/^(?:Drain|still busy)/.test(step.name) && step.stdout.trim()) {
        run.report({ kind: "note", host: traveller.name, text: `${step.name}: ${step.stdout.trim()}` });
      }
    }
  });
}

async function release(run: Run, version: string, canary: boolean): Promise<Step> {
  const entry = { at: timestamp(run.clock.now()), version, performer: await run.performer(), canary };
  return attempt("Record the release", recordRelease(run.config, entry));
}

/** Runs a phase; an unhealthy container is told as such. */
async function phase({ name, host }: Traveller, script: Script, signal?: AbortSignal): Promise<void> {
  try {
    await host.run(script, signal ? { signal } : {});
  } catch (error) {
    if (error instanceof CommandFailedError && error.status === NOT_HEALTHY) {
      throw new UnhealthyError(`${name}: ${error.step}: the new version did not become healthy\n${error.output}`, {
        cause: error,
      });
    }
    throw explainedTraefik(error);
  }
}

/** Every host back to what it ran. What cannot be reached is named, with what it runs. */
async function goBack(run: Run, travellers: readonly Traveller[], reason: unknown): Promise<void> {
  const changed = travellers.filter(({ progress }) => progress !== undefined);
  const [first] = changed;
  if (!first) return;
  const why = reason instanceof InterruptedError ? "interrupted" : "failed";
  run.report({
    kind: "title",
    text: `The deploy ${why}: taking ${changed.map(({ name }) => name).join(", ")} back to the version before...`,
  });
  await Promise.all(
    changed.map(async (traveller) => {
      const { name, host, plan, phases, progress, switching } = traveller;
      try {
        const lines = plan.roles.map(({ role, next }) =>
          audit(run, `Went back from version ${next.version}`, role.name),
        );
        const forget = attempt("Forget the release", forgetRelease(run.config, plan.roles[0]!.next.version));
        const recorded = progress === "settled" && !isTrial(plan) ? [forget] : [];
        await host.run(phases.undo([...(await Promise.all(lines)), ...recorded], progress!));
        for (const { role, old, next, canary } of plan.roles) {
          const trial = canary ? `, with ${next.name} as its canary` : "";
          const text = `role ${role.name} runs ${old?.name ?? "nothing, as before"}${trial}`;
          run.report({ kind: "note", host: name, text });
        }
      } catch (error) {
        const now = plan.roles
          .map(({ next, old }) => serves(progress!, switching, next.name, old?.name ?? "nothing"))
          .join(", ");
        const said = error instanceof MrskError ? error.message : String(error);
        run.report({
          kind: "warning",
          host: name,
          text: `could not be taken back, and serves ${now}: ${said}. Deploy again when it is back.`,
        });
      }
    }),
  );
}

function serves(progress: Progress, switching: boolean, next: string, old: string): string {
  if (switching) return `${old} or ${next}`;
  return progress === "started" ? old : next;
}
