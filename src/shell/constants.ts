import { ExitStatus } from "../script/exit-status.ts";

/** The name of Traefik's container. */
export const TRAEFIK = "traefik";
/** The second Traefik, which takes new connections while the first is replaced. */
export const SECOND = "traefik-swap";
/** The same where nothing can be led to it: the new settings are tried, no more. */
export const TRIAL = "traefik-trial";
/** Made beside the running one, started in its place. */
export const NEXT = "traefik-next";
/** The one that was replaced, until its successor serves. */
export const OLD = "traefik-old";
/** Label of a container that is to take Traefik's place: process id of the run that made it. */
export const BY_LABEL = "mrsk.by";
/** Comment of every rule of the packet filter that is ours. */
const COMMENT = "mrsk-swap";
/** The replacement goes on when the connection is lost: this word in its command line tells that it is at work. */
export const PROCESS = "mrsk-swap-process";
/** The port in Traefik's container where probe routes answer. */
export const PROBE_ENTRY_POINT = 8082;
/** Where root keeps live files: every login user of the group docker can write there, which no home of root's offers. */
export const SHARED_DIRECTORY = "/var/lib/mrsk";
/** Where MRSK keeps one lock for all services of a server. */
export const ORIGINAL_LOCK = "mrsk_lock";
/** Printed, with the user before it, when the login user was put into the group: a login that is open does not have it. */
export const JOINED = "joined the group docker";

/** What `src/shell/*.sh` may name in capitals: the value takes the place of `$NAME` when the file is loaded. */
export const CONSTANTS: Readonly<Record<string, string | number>> = {
  ...ExitStatus,
  TRAEFIK,
  SECOND,
  TRIAL,
  NEXT,
  OLD,
  BY_LABEL,
  COMMENT,
  PROCESS,
  /** For a search that must not find itself. */
  PROCESS_PATTERN: `${PROCESS.slice(0, -1)}[${PROCESS.slice(-1)}]`,
  PROBE_ENTRY_POINT,
  SHARED_DIRECTORY,
  ORIGINAL_LOCK,
  JOINED,
};
