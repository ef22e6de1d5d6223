import { call, Program } from "../script/call.ts";
import type { Shell } from "../script/command.ts";
import type { Captured } from "../script/script.ts";
import { KEPT_MEANWHILE_SECONDS } from "../commands/traefik.ts";
import { PROCESS } from "../shell/constants.ts";
import { type Filter, type ProbeRequest, requestLines } from "./swap.ts";

/** A client that is at work sends at least so often. */
const SENDING_SECONDS = 3;
/** Connections may be kept for longer than anybody wants to wait. */
const LONGEST_SECONDS = 60;
/** After so long no client is left at the second Traefik. */
const SECOND_SECONDS = KEPT_MEANWHILE_SECONDS + SENDING_SECONDS;

/** What a swap has to know of the Traefik that runs. */
export interface SwapOptions {
  /** Restart policy of the new container. */
  readonly policy: string;
  /** undefined: without the second Traefik's help. */
  readonly filter: Filter;
  /** After how long the old one has told every kept connection to go; undefined: it never does. */
  readonly keptSeconds: number | undefined;
  /** What the old Traefik answers (`probeOld`); without, anything of the new one's will do. */
  readonly asked?: Captured | "";
}

/**
 * Replaces the container, in a session of its own: it goes on when the connection is lost, and is soon over, since
 * stopping half-way would be the one thing that loses requests. The rules stand only while it is at work. Prints what it
 * does; at its end `closed N`, in hundredths of a second, where the port was closed.
 */
export function swap({ policy, filter, keptSeconds, asked = "" }: SwapOptions): Shell {
  if (!filter) return call("run_detached", new Program("replace_plainly"), PROCESS, policy, asked);
  const kept = keptSeconds === undefined ? "never" : Math.min(keptSeconds + SENDING_SECONDS, LONGEST_SECONDS);
  const program = new Program("replace_bridged");
  return call("run_detached", program, PROCESS, policy, filter.join(" "), kept, SECOND_SECONDS, asked);
}

/**
 * Repairs what an interrupted reboot has left, when its swap is no longer at work: one Traefik that serves, no rule, no
 * second container. Ends with BEING_REPLACED while it still is after a minute.
 */
export function repairSwap(policy: string, filter: Filter, questions: readonly ProbeRequest[]): Shell {
  return call("repair_replacement", policy, filter?.join(" ") ?? "none", SECOND_SECONDS, requestLines(questions));
}
