import { ENTRY_POINT_PORTS } from "../ports.ts";
import { ExitStatus } from "./exit-status.ts";

/** The name of Traefik's container. */
export const TRAEFIK = "traefik";
/** The second Traefik, which accepts new connections during a replacement. */
export const SECOND = "traefik-swap";
/** The second Traefik on a host without redirects: it only tests the new settings, and gets no requests. */
export const TRIAL = "traefik-trial";
/** The new Traefik from its creation until it gets the name `traefik`. */
export const NEXT = "traefik-next";
/** The replaced Traefik, until the new one serves. */
export const OLD = "traefik-old";
/** Label of the new Traefik: the process id of the shell that created it. */
export const BY_LABEL = "mrsk.by";
/** Comment of every packet filter rule that mrsk adds. */
const COMMENT = "mrsk-swap";
/** In the command line of a replacement, which continues when the connection is lost: other runs search for it. */
export const PROCESS = "mrsk-swap-process";
/** The port of the probe entry point in Traefik's container. */
export const PROBE_ENTRY_POINT = ENTRY_POINT_PORTS.probes;
/** Parent of root's live files. Every login user in the group docker can write there, unlike in root's home directory. */
export const SHARED_DIRECTORY = "/var/lib/mrsk";
/** MRSK's lock, one for all services of a server. */
export const MRSK_LOCK = "mrsk_lock";
/** Printed after the user's name when `install_docker` added the user to the group: only a new login has it. */
export const JOINED = "joined the group docker";

/** The constants of `src/shell/*.sh`: each `$NAME` is replaced by its value when the file is loaded. */
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
  /** A pattern for `grep` that does not match the command line of `grep` itself. */
  PROCESS_PATTERN: `${PROCESS.slice(0, -1)}[${PROCESS.slice(-1)}]`,
  PROBE_ENTRY_POINT,
  SHARED_DIRECTORY,
  MRSK_LOCK,
  JOINED,
};
