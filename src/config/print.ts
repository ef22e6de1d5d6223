import type { Config } from "./config.ts";

/** What `mrsk config` shows. Secrets are of a type that cannot be printed. */
export function redactedConfig(config: Config, version: string): Record<string, unknown> {
  return { version, ...(JSON.parse(JSON.stringify(config, (_key, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value))) as object) };
}
