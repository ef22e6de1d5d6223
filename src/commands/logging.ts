import type { Logging, Options } from "../config/config.ts";
import { labelled } from "./arguments.ts";
import { type Body, type Command, docker, Raw, raw, type Shell, sh, type Word } from "../script/command.ts";
import { capture, type CaptureStep } from "../script/script.ts";

/** The drivers that accept `max-size`. With any other driver, the engine refuses the option. */
const FILE_DRIVERS: readonly string[] = ["json-file", "local"];

/** The engine's default log driver: observed (undefined: unknown), or the output of a step of the script. */
export type EngineDriver = string | undefined | Raw;

/** Prints the engine's default log driver. */
export const ENGINE_DRIVER: Command = docker("info", "--format", "{{.LoggingDriver}}");

/** The same as a step, for a host that was not observed. @param where wraps the command in its condition */
export function readDriver(where: (body: Body) => Shell = (body) => sh`${body}`): CaptureStep {
  return capture("log-driver", "Read the engine's log driver", where(sh`${ENGINE_DRIVER} 2>/dev/null || true`));
}

/**
 * The configured driver and its options. The size limit is added only if the driver accepts it.
 * @param options of the same container: they may name another driver
 */
export function logFlags(logging: Logging, options: Options, engine: EngineDriver): Word[] {
  const driver = logging.driver === undefined ? [] : ["--log-driver", logging.driver];
  return [...driver, ...labelled("--log-opt", logging.options), ...sizeLimit(logging, options, engine)];
}

function sizeLimit({ driver: configured, maxSize }: Logging, options: Options, engine: EngineDriver): Word[] {
  if (maxSize === undefined) return [];
  const own = options.get("log-driver");
  const driver = typeof own === "string" ? own : (configured ?? engine);
  if (driver instanceof Raw) {
    return [raw(`$(case ${driver.text} in (${FILE_DRIVERS.join("|")}|"") echo --log-opt max-size=${maxSize} ;; esac)`)];
  }
  return driver === undefined || FILE_DRIVERS.includes(driver) ? ["--log-opt", `max-size=${maxSize}`] : [];
}
