import { call, printedBy } from "../script/call.ts";
import { type Command, lines, raw, type Shell, sh } from "../script/command.ts";
import type { Captured } from "../script/script.ts";
import { NEXT, OLD, SECOND, TRAEFIK, TRIAL } from "../shell/constants.ts";

/** What a reboot has beside Traefik's own container, and an interrupted one leaves. */
export const SWAP_CONTAINERS: readonly string[] = [SECOND, TRIAL, NEXT, OLD];

/** What stands before `iptables` for the login user: nothing, or sudo. undefined: rules cannot be made. */
export type Filter = readonly string[] | undefined;

/** The name of the Traefik beside the running one. */
export function secondName(filter: Filter): string {
  return filter ? SECOND : TRIAL;
}

/** A request that the old Traefik may answer, so the new one has to. */
export interface ProbeRequest {
  readonly host: string;
  readonly path: string;
}

/** A line each, as `print_answers` takes them. */
export function requestLines(questions: readonly ProbeRequest[]): string {
  return questions.map(({ host, path }) => `${host} ${path}`).join("\n");
}

/**
 * What the running Traefik answers: a line for each question that it answers with a page of an app's: scheme, host,
 * path, port in the container, status. Nothing where none runs.
 */
export function probeOld(questions: readonly ProbeRequest[]): Shell {
  return call("print_answers", TRAEFIK, requestLines(questions));
}

/**
 * Makes the container that is to take over, on the networks that it needs. Prints its id. Ends with BEING_REPLACED where
 * another run is at it.
 */
export function makeNext(create: Command, join: Shell): Shell {
  return lines(call("refuse_other_run"), create, join);
}

/** What the second Traefik publishes: a word of its `docker create`. */
export const SECOND_PORTS = raw("$ports");

/** Starts the second Traefik with the new settings, and waits until it serves what the old one serves. */
export function startSecond(name: string, create: Command, join: Shell, asked: Captured): Shell {
  return sh`ports=${printedBy(call("print_second_ports"))}
${create} >/dev/null
${join}
${call("start_second", name, asked)}`;
}

/** After a run that ended before the replacement began: nothing is left of it. */
export function abandonSwap(next: Captured, begun: Captured): Shell {
  return sh`[ -z ${next} ] || [ -n ${begun} ] || docker rm -f ${SECOND} ${TRIAL} ${NEXT} >/dev/null 2>&1 || true`;
}
