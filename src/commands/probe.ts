import { call, printedBy } from "../script/call.ts";
import type { Shell } from "../script/command.ts";

/** Where a Traefik that was just started answers previews: its published port, else its own address. */
export function findProbeBase(): Shell {
  return printedBy(call("print_probe_base"));
}
