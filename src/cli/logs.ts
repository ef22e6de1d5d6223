import type { Command } from "commander";
import { SHOWN_LOG_LINES } from "../config/defaults.ts";
import { count } from "./options.ts";

export interface LogOptions {
  readonly since?: string;
  readonly lines?: number;
  readonly grep?: string;
  readonly grepOptions?: string;
  readonly follow?: boolean;
  readonly skipTimestamps?: boolean;
}

export interface AppLogOptions extends LogOptions {
  readonly containerId?: string;
}

/** The options of `app logs`, `accessory logs` and `traefik logs`. */
export function addLogOptions(command: Command): Command {
  return command
    .option("-s, --since <time>", "lines since this time: 2023-06-01T12:00:00Z or 10m")
    .option("-n, --lines <number>", `number of last lines (default: ${SHOWN_LOG_LINES})`, count)
    .option("-g, --grep <pattern>", "lines that match this pattern of grep")
    .option("-o, --grep-options <options>", "flags for grep, e.g. '-C 3'")
    .option("-f, --follow", "print new lines of all selected hosts until Ctrl-C")
    .option("-T, --skip-timestamps", "without docker's timestamps");
}
