import { call, Program, printedBy } from "../script/call.ts";
import { type Command, lines, raw, type Shell, sh } from "../script/command.ts";
import type { Captured } from "../script/script.ts";
import { NEXT, OLD, PROCESS, SECOND, TRAEFIK, TRIAL } from "../shell/constants.ts";

/** The other containers of a replacement, which an interrupted one leaves. */
export const REPLACEMENT_CONTAINERS: readonly string[] = [SECOND, TRIAL, NEXT, OLD];

/** The prefix of `iptables` for the login user: empty, or sudo. undefined: the user cannot add rules. */
export type Filter = readonly string[] | undefined;

/** The name of the second Traefik. */
export function secondName(filter: Filter): string {
  return filter ? SECOND : TRIAL;
}

/** A request that the new Traefik must answer if the old one does. */
export interface ProbeRequest {
  readonly host: string;
  readonly path: string;
}

/** One line for each request, the input of `print_answers`. */
function requestLines(requests: readonly ProbeRequest[]): string {
  return requests.map(({ host, path }) => `${host} ${path}`).join("\n");
}

/**
 * Sends the requests to the running Traefik. Prints one line for each response of an app: scheme, host, path, container
 * port, status. Prints nothing if no Traefik runs.
 */
export function recordAnswers(requests: readonly ProbeRequest[]): Shell {
  return call("print_answers", TRAEFIK, requestLines(requests));
}

/**
 * Creates the next container with the port for TLS that `findPort` finds, and connects it to its networks. Prints its id.
 * Exits with BEING_REPLACED during another run.
 */
export function createNext(findPort: Shell, create: Command, join: Shell): Shell {
  return lines(call("refuse_other_run"), findPort, create, join);
}

/** The `--publish` flags of the second Traefik, a word of its `docker create`. */
export const SECOND_PORTS = raw("$ports");

/** Starts the second Traefik with the new settings, and waits until it gives the answers of the old one. */
export function startSecond(name: string, create: Command, join: Shell, answers: Captured): Shell {
  return sh`ports=${printedBy(call("print_second_ports"))}
${create} >/dev/null
${join}
${call("start_second", name, answers)}`;
}

/** Removes the new containers if the run ended before the replacement began. */
export function abandonReplacement(next: Captured, begun: Captured): Shell {
  return sh`[ -z ${next} ] || [ -n ${begun} ] || docker rm -f ${SECOND} ${TRIAL} ${NEXT} >/dev/null 2>&1 || true`;
}

/** The keep-alive time of the second Traefik, which serves only during a replacement. */
export const SECOND_KEEP_ALIVE_SECONDS = 1;
/** An active client sends a request at least this often. */
const REQUEST_INTERVAL_SECONDS = 3;
/** The longest wait for keep-alive connections. */
const LONGEST_WAIT_SECONDS = 60;
/** After this time the second Traefik has no active clients. */
const SECOND_WAIT_SECONDS = SECOND_KEEP_ALIVE_SECONDS + REQUEST_INTERVAL_SECONDS;

/** The facts of the running Traefik that a replacement depends on. */
export interface ReplaceOptions {
  /** Restart policy of the new container. */
  readonly policy: string;
  /** undefined: without a second Traefik. */
  readonly filter: Filter;
  /** `keepAliveMaxTime` of the old Traefik; undefined: it keeps connections forever. */
  readonly keepAliveSeconds: number | undefined;
  /** The output of `recordAnswers`; without it, any response of the new Traefik is enough. */
  readonly answers?: Captured | "";
}

/**
 * Replaces the container, in a new session: the replacement continues when the connection is lost, because stopping
 * half-way would lose requests. Removes its packet filter rules at the end. Prints its progress and, if the ports were
 * closed, `closed N` in hundredths of a second.
 */
export function replaceTraefik({ policy, filter, keepAliveSeconds, answers = "" }: ReplaceOptions): Shell {
  if (!filter) return call("run_detached", new Program("replace_alone"), PROCESS, policy, answers);
  const keepAlive =
    keepAliveSeconds === undefined
      ? "never"
      : Math.min(keepAliveSeconds + REQUEST_INTERVAL_SECONDS, LONGEST_WAIT_SECONDS);
  const program = new Program("replace_with_second");
  return call("run_detached", program, PROCESS, policy, filter.join(" "), keepAlive, SECOND_WAIT_SECONDS, answers);
}

/**
 * Repairs an interrupted replacement: one Traefik serves, without redirects and without a second container. Exits with
 * BEING_REPLACED if a replacement still runs after a minute.
 */
export function repairReplacement(policy: string, filter: Filter, requests: readonly ProbeRequest[]): Shell {
  return call("repair_replacement", policy, filter?.join(" ") ?? "none", SECOND_WAIT_SECONDS, requestLines(requests));
}
