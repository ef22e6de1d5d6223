import { call, Program, printedBy } from "../script/call.ts";
import { type Command, lines, raw, type Shell, sh } from "../script/command.ts";
import type { Captured } from "../script/script.ts";
import { KEPT_MEANWHILE_SECONDS } from "../commands/traefik.ts";
import { NEXT, OLD, PROCESS, SECOND, TRAEFIK, TRIAL } from "../shell/constants.ts";

/** What a reboot has beside Traefik's own container, and an interrupted one leaves. */
export const REPLACEMENT_CONTAINERS: readonly string[] = [SECOND, TRIAL, NEXT, OLD];

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
export function requestLines(requests: readonly ProbeRequest[]): string {
  return requests.map(({ host, path }) => `${host} ${path}`).join("\n");
}

/**
 * What the running Traefik answers: a line for each question that it answers with a page of an app's: scheme, host,
 * path, port in the container, status. Nothing where none runs.
 */
export function recordAnswers(requests: readonly ProbeRequest[]): Shell {
  return call("print_answers", TRAEFIK, requestLines(requests));
}

/**
 * Makes the container that is to take over, on the networks that it needs. Prints its id. Ends with BEING_REPLACED where
 * another run is at it.
 */
export function createNext(create: Command, join: Shell): Shell {
  return lines(call("refuse_other_run"), create, join);
}

/** What the second Traefik publishes: a word of its `docker create`. */
export const SECOND_PORTS = raw("$ports");

/** Starts the second Traefik with the new settings, and waits until it serves what the old one serves. */
export function startSecond(name: string, create: Command, join: Shell, answers: Captured): Shell {
  return sh`ports=${printedBy(call("print_second_ports"))}
${create} >/dev/null
${join}
${call("start_second", name, answers)}`;
}

/** After a run that ended before the replacement began: nothing is left of it. */
export function abandonReplacement(next: Captured, begun: Captured): Shell {
  return sh`[ -z ${next} ] || [ -n ${begun} ] || docker rm -f ${SECOND} ${TRIAL} ${NEXT} >/dev/null 2>&1 || true`;
}

/** A client that is at work sends at least so often. */
const SENDING_SECONDS = 3;
/** Connections may be kept for longer than anybody wants to wait. */
const LONGEST_SECONDS = 60;
/** After so long no client is left at the second Traefik. */
const SECOND_SECONDS = KEPT_MEANWHILE_SECONDS + SENDING_SECONDS;

/** What a swap has to know of the Traefik that runs. */
export interface ReplaceOptions {
  /** Restart policy of the new container. */
  readonly policy: string;
  /** undefined: without the second Traefik's help. */
  readonly filter: Filter;
  /** After how long the old one has told every kept connection to go; undefined: it never does. */
  readonly keptSeconds: number | undefined;
  /** What the old Traefik answers (`recordAnswers`); without, anything of the new one's will do. */
  readonly answers?: Captured | "";
}

/**
 * Replaces the container, in a session of its own: it goes on when the connection is lost, and is soon over, since
 * stopping half-way would be the one thing that loses requests. The rules stand only while it is at work. Prints what it
 * does; at its end `closed N`, in hundredths of a second, where the port was closed.
 */
export function replaceTraefik({ policy, filter, keptSeconds, answers = "" }: ReplaceOptions): Shell {
  if (!filter) return call("run_detached", new Program("replace_alone"), PROCESS, policy, answers);
  const kept = keptSeconds === undefined ? "never" : Math.min(keptSeconds + SENDING_SECONDS, LONGEST_SECONDS);
  const program = new Program("replace_with_second");
  return call("run_detached", program, PROCESS, policy, filter.join(" "), kept, SECOND_SECONDS, answers);
}

/**
 * Repairs what an interrupted reboot has left, when its swap is no longer at work: one Traefik that serves, no rule, no
 * second container. Ends with BEING_REPLACED while it still is after a minute.
 */
export function repairReplacement(policy: string, filter: Filter, requests: readonly ProbeRequest[]): Shell {
  return call("repair_replacement", policy, filter?.join(" ") ?? "none", SECOND_SECONDS, requestLines(requests));
}
