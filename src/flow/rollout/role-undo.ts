import { anyway, type Body, lines, raw, type Shell, sh } from "../../script/command.ts";
import { waitForAnswer, waitForRevision } from "../../commands/waits.ts";
import { enableRestart, disableRestart, stopWithoutRestart } from "../../commands/restart-policy.ts";
import { ID_LABEL } from "../../traefik/labels.ts";
import type { LiveFile } from "../../traefik/live-file.ts";
import { attempt, type Step, step } from "../../script/script.ts";
import type { RolePhases } from "./role-phases.ts";

/** How far a host got, set before the phase begins where it ends in `ing`. Settling is not told from settled. */
export type Progress = "starting" | "started" | "switching" | "switched" | "settled";

export function hasSwitched(progress: Progress): boolean {
  return progress !== "starting" && progress !== "started";
}

/**
 * Back to what ran before, the same loss-free way, from wherever the role's own script ended: each step looks first, so
 * that it does no harm where there is nothing to undo, and may be run twice.
 */
export function undoSteps(role: RolePhases, progress: Progress): Step[] {
  if (!hasSwitched(progress)) return role.startsAtSwitch ? [] : undoStart(role);
  if (role.stopFirst) return undoStopFirst(role);
  return undoSwitch(role, progress);
}

/** What the start script does itself when it fails or loses its connection: files first, containers last. */
export function revertStart(role: RolePhases): Body {
  const stop = sh`[ -z "$next" ] || docker stop -t 5 "$next" >/dev/null 2>&1`;
  const file = role.viaFile ? role.revertedFile() : sh`:`;
  return lines(anyway(file), anyway(revertNames(role)), anyway(withNext(role, stop)));
}

/** The same for a role that starts late: its old container may have ended already. */
export function revertStopFirst(role: RolePhases): Body {
  const { old } = role;
  return lines(
    revertStart(role),
    old ? anyway(lines(sh`docker start ${old.id} >/dev/null`, enableRestart(old.id))) : sh`:`,
  );
}

/** The old one has the requests still. */
function undoStart(role: RolePhases): Step[] {
  return [...ensureOldRuns(role), ...stopNext(role), ...revertFile(role)];
}

function undoSwitch(role: RolePhases, progress: Progress): Step[] {
  const { plan, old } = role;
  const steps = progress === "settled" ? startAgain(role) : ensureOldRuns(role);
  if (old && progress === "settled") {
    const wait = role.untilHealthy(old.id, REVIVAL_SECONDS);
    steps.push(step(role.named("Wait until healthy"), wait));
    if (plan.routing === "labels") steps.push(role.waitForTraefik());
    if (role.viaFile && plan.share === undefined) {
      const probe = role.write({ live: plan.next, probe: old, counter: 3 });
      const answer = waitForAnswer(role.probeRouteAt(3), REVIVAL_SECONDS);
      steps.push(step(role.named("Probe it through Traefik"), lines(probe, answer)));
    }
  }
  if (old && role.viaFile) {
    const back = role.write({ live: old, ...outgoing(role), probe: old, counter: 4 });
    steps.push(step(role.named("Switch the requests back"), lines(back, waitForRevision(role.probeRouteAt(4)))));
  }
  if (old) steps.push(attempt(role.named("Keep the old container"), keepOld(role, old.id)));
  return [...steps, ...drainNext(role), ...stopNext(role), ...revertFile(role)];
}

/** How the next container stands in the file while the old one has its requests back. */
function outgoing({ plan: { next, share } }: RolePhases): Pick<LiveFile, "last" | "canary"> {
  return share === undefined ? { last: next } : { canary: { container: next, percent: 0 } };
}

/** Never both at once. */
function undoStopFirst(role: RolePhases): Step[] {
  const { old } = role;
  if (!old) return [...stopNext(role), ...revertFile(role)];
  const close = role.write({ live: old, probe: old, counter: 3, closed: true });
  const wait = role.untilHealthy(old.id, REVIVAL_SECONDS);
  return [
    ...(role.viaFile ? [attempt(role.named("Take no more requests"), close)] : []),
    ...drainNext(role),
    ...stopNext(role),
    ...startAgain(role),
    attempt(role.named("Keep the old container"), enableRestart(old.id)),
    step(role.named("Wait until healthy"), wait),
    ...revertFile(role),
  ];
}

function startAgain(role: RolePhases): Step[] {
  return started(role, role.old, (name) => `Start ${name} again`);
}

/** Nobody stopped it; but the engine may have been away. Of one that runs, docker says nothing. */
function ensureOldRuns(role: RolePhases): Step[] {
  return started(role, role.plan.old, (name) => `See that ${name} runs`);
}

function started(role: RolePhases, old: RolePhases["old"], title: (name: string) => string): Step[] {
  return old ? [step(role.named(title(old.name)), sh`docker start ${old.id} >/dev/null`)] : [];
}

function drainNext(role: RolePhases): Step[] {
  if (!role.viaFile || !role.old || !changes(role)) return [];
  return [attempt(role.named(`Drain ${role.plan.next.name}`), withNext(role, role.drain(NEXT)))];
}

/** It stays, stopped, for whoever wants to look at it. */
function stopNext(role: RolePhases): Step[] {
  if (!changes(role)) return [];
  const { next } = role.plan;
  const stop = sh`if [ -n "$next" ]; then ${stopWithoutRestart(NEXT, role.config.stopWaitSeconds)}; fi`;
  const steps = [attempt(role.named(`Stop ${next.name}`), withNext(role, stop))];
  if (role.plan.nameConflict?.newName) steps.push(attempt(role.named("Restore the names"), revertNames(role)));
  return steps;
}

function revertFile(role: RolePhases): Step[] {
  return role.viaFile ? [attempt(role.named("Write the live file"), role.revertedFile())] : [];
}

function keepOld(role: RolePhases, old: string): Body {
  const release = changes(role) ? withNext(role, sh`[ -z "$next" ] || ${disableRestart(NEXT)}`) : sh`:`;
  return lines(enableRestart(old), anyway(release));
}

/** The old container of the same version has its name back, the failed one another. */
function revertNames({ plan }: RolePhases): Shell {
  if (!plan.nameConflict?.newName) return sh`:`;
  const { container, newName } = plan.nameConflict;
  const { name } = plan.next;
  return sh`has=$(docker inspect --type container --format '{{.ID}}' ${name} 2>/dev/null) || has=
if [ "$has" != ${container.id} ]; then
  [ -z "$has" ] || docker rename "$has" ${`${name}_failed_${newName.slice(-16)}`}
  docker rename ${container.id} ${name}
fi`;
}

const NEXT = raw('"$next"');

/**
 * `$next` is the id of the container that was made or taken for this deploy, or empty. Never found by name: the name may
 * still be the old container's.
 */
function withNext(role: RolePhases, body: Body): Shell {
  const { kept, labels } = role.plan.next;
  if (!changes(role)) return sh`next=; ${body}`;
  if (kept) return sh`next=${kept.id}; ${body}`;
  const id = labels.get(ID_LABEL) ?? "none";
  return sh`next=$(docker ps --all --quiet --no-trunc --filter ${`label=${ID_LABEL}=${id}`}) || next=
${body}`;
}

/** false where what was wanted ran before, live or as a canary: then there is nothing to stop. */
function changes({ plan: { next, old, canary } }: RolePhases): boolean {
  return next.kept === undefined || (next.kept !== old && canary === undefined);
}

/** How long a container that was well before may take to be so again. */
const REVIVAL_SECONDS = 60;
