import type { Command } from "commander";
import type { Run } from "../flow/run.ts";

/** Opens a run for a command and does the work in it. Loaded only then, so that `--help` and `version` start at once. */
export async function withRun(command: Command, work: (run: Run) => Promise<void>): Promise<void> {
  const { openRun } = await import("./open-run.ts");
  await openRun(command, work);
}
