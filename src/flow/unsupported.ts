import { ConfigError } from "../errors.ts";
import type { Run } from "./run.ts";

/** @throws ConfigError with each setting that mrsk cannot carry out yet. Call it before a container starts. */
export function refuseUnsupported({ config }: Run): void {
  if (config.unsupported.length > 0) throw new ConfigError(config.unsupported);
}
