import type { Command } from "commander";
import type { Run } from "../flow/run.ts";
import type { Terminal } from "../flow/terminal.ts";

/** Opens a run for a command and does the work in it. Loaded only then, so that `--help` and `version` start at once. */
export async function withRun(command: Command, work: (run: Run, terminal: Terminal) => Promise<void>): Promise<void> {
  const { openRun } = await import("./open-run.ts");
  await openRun(command, work);
}
