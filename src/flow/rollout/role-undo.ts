import { anyway, type Body, lines, raw, type Shell, sh } from "../../script/command.ts";
import { waitForAnswer, waitForRevision } from "../../commands/waits.ts";
import { enableRestart, disableRestart, stopSeconds, stopWithoutRestart } from "../../commands/restart-policy.ts";
import { ID_LABEL } from "../../traefik/labels.ts";
import type { LiveFile } from "../../traefik/live-file.ts";
import { attempt, type Step, step } from "../../script/script.ts";
import type { RolePhases } from "./role-phases.ts";

/** The progress of a host. `…ing` is set before its phase begins; `finalized` as well. */
export type Progress = "starting" | "started" | "switching" | "switched" | "finalized";

export function hasSwitched(progress: Progress): boolean {
  return progress !== "starting" && progress !== "started";
}

/**
 * Returns the role to the old container without losing a request, from any point at which its own script may have ended.
 * Each step inspects the host first, so it changes nothing if there is nothing to undo, and may run twice.
 */
export function undoSteps(role: RolePhases, progress: Progress): Step[] {
  if (!hasSwitched(progress)) return role.startsAtSwitch ? [] : undoStart(role);
  if (role.stopFirst) return undoStopFirst(role);
  return undoSwitch(role, progress);
}

/** The cleanup of a start script that fails or loses its connection: files first, containers last. */
export function revertStart(role: RolePhases): Body {
  const stop = sh`[ -z "$next" ] || docker stop -t 5 "$next" >/dev/null 2>&1`;
  const file = role.viaFile ? role.revertedFile() : sh`:`;
  return lines(anyway(file), anyway(revertNames(role)), anyway(withNext(role, stop)));
}

/** The same for stop_first: the old container may have stopped already. */
export function revertStopFirst(role: RolePhases): Body {
  const { old } = role;
  return lines(
    revertStart(role),
    old
      ? anyway(lines(sh`docker start ${old.id} >/dev/null`, enableRestart(old.id, role.plan.role.restartPolicy)))
      : sh`:`,
  );
}

/** Before the switch: the old container is live. */
function undoStart(role: RolePhases): Step[] {
  return [...ensureOldRuns(role), ...stopNext(role), ...revertFile(role)];
}

function undoSwitch(role: RolePhases, progress: Progress): Step[] {
  const { plan, old } = role;
  const steps = progress === "finalized" ? startAgain(role) : ensureOldRuns(role);
  if (old && progress === "finalized") {
    const wait = role.untilHealthy(old.id, REVIVAL_SECONDS);
    steps.push(step(role.named("Wait until healthy"), wait));
    if (plan.routing === "labels") steps.push(role.waitForTraefik());
    if (role.viaFile && plan.percent === undefined) {
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

/** The next container in the live file of the switch back: it finishes its requests. */
function outgoing({ plan: { next, percent } }: RolePhases): Pick<LiveFile, "last" | "canary"> {
  return percent === undefined ? { last: next } : { canary: { container: next, percent: 0 } };
}

/** Stops the next container before the old one starts: never both at the same time. */
function undoStopFirst(role: RolePhases): Step[] {
  const { old } = role;
  if (!old) return [...stopNext(role), ...revertFile(role)];
  const close = role.write({ live: old, probe: old, counter: 3, closed: true });
  const wait = role.untilHealthy(old.id, REVIVAL_SECONDS);
  return [
    ...(role.viaFile ? [attempt(role.named("Close the route"), close)] : []),
    ...drainNext(role),
    ...stopNext(role),
    ...startAgain(role),
    attempt(role.named("Keep the old container"), enableRestart(old.id, role.plan.role.restartPolicy)),
    step(role.named("Wait until healthy"), wait),
    ...revertFile(role),
  ];
}

function startAgain(role: RolePhases): Step[] {
  return started(role, role.old, (name) => `Start ${name} again`);
}

/** mrsk has not stopped it, but the engine may have been down. `docker start` of a running container does nothing. */
function ensureOldRuns(role: RolePhases): Step[] {
  return started(role, role.plan.old, (name) => `Ensure ${name} runs`);
}

function started(role: RolePhases, old: RolePhases["old"], title: (name: string) => string): Step[] {
  return old ? [step(role.named(title(old.name)), sh`docker start ${old.id} >/dev/null`)] : [];
}

function drainNext(role: RolePhases): Step[] {
  if (!role.viaFile || !role.old || !changes(role)) return [];
  return [attempt(role.named(`Drain ${role.plan.next.name}`), withNext(role, role.drain(NEXT)))];
}

/** Stops the next container, and keeps it for an inspection. */
function stopNext(role: RolePhases): Step[] {
  if (!changes(role)) return [];
  const { next } = role.plan;
  const stop = sh`if [ -n "$next" ]; then ${stopWithoutRestart(NEXT, stopSeconds(role.config, role.plan.role))}; fi`;
  const steps = [attempt(role.named(`Stop ${next.name}`), withNext(role, stop))];
  if (role.plan.nameConflict?.newName) steps.push(attempt(role.named("Restore the names"), revertNames(role)));
  return steps;
}

function revertFile(role: RolePhases): Step[] {
  return role.viaFile ? [attempt(role.named("Write the live file"), role.revertedFile())] : [];
}

function keepOld(role: RolePhases, old: string): Body {
  const release = changes(role) ? withNext(role, sh`[ -z "$next" ] || ${disableRestart(NEXT)}`) : sh`:`;
  return lines(enableRestart(old, role.plan.role.restartPolicy), anyway(release));
}

/** The old container of the same version gets its name again; the failed one gets another. */
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
 * Sets `$next` to the id of the container of this deploy, or to nothing. The name does not identify it: the old container
 * may still have that name.
 */
function withNext(role: RolePhases, body: Body): Shell {
  const { kept, labels } = role.plan.next;
  if (!changes(role)) return sh`next=; ${body}`;
  if (kept) return sh`next=${kept.id}; ${body}`;
  const id = labels.get(ID_LABEL) ?? "none";
  return sh`next=$(docker ps --all --quiet --no-trunc --filter ${`label=${ID_LABEL}=${id}`}) || next=
${body}`;
}

/** false if the next container ran before the deploy, live or as a canary: an undo does not stop it. */
function changes({ plan: { next, old, canary } }: RolePhases): boolean {
  return next.kept === undefined || (next.kept !== old && canary === undefined);
}

/** The time that a container which was healthy before may take to become healthy again. */
export const REVIVAL_SECONDS = 60;
