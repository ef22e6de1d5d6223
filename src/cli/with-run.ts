import type { Command } from "commander";
import type { Run } from "../flow/run.ts";
import type { Terminal } from "../flow/terminal.ts";

/** Opens a run for a command and does the work in it. Loads the module only here, so that `--help` and `version` are fast. */
export async function withRun(command: Command, work: (run: Run, terminal: Terminal) => Promise<void>): Promise<void> {
  const { openRun } = await import("./open-run.ts");
  await openRun(command, work);
}
