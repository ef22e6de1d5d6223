import { call, printedBy } from "../script/call.ts";
import type { Shell } from "../script/command.ts";

/** The base URL of probes to a Traefik that has just started: its published port, or else its own address. */
export function findProbeBase(): Shell {
  return printedBy(call("print_probe_base"));
}
