import { stringify } from "yaml";
import { redactedConfig } from "../config/print.ts";
import type { Run } from "./run.ts";

/** `config`: prints the resolved configuration, secrets redacted. */
export async function showConfig(
  run: Pick<Run, "config" | "requestedVersion" | "print">,
  { json }: { json: boolean },
): Promise<void> {
  const shown = redactedConfig(run.config, await run.requestedVersion());
  run.print(json ? `${JSON.stringify(shown, undefined, 2)}\n` : stringify(shown, { aliasDuplicateObjects: false }));
}
