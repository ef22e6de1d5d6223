import type { Command } from "commander";
import { withRun } from "./with-run.ts";

/** `lock`: status, acquire, release. */
export function addLock(program: Command): void {
  const flow = () => import("../flow/lock.ts");
  const lock = program.command("lock").description("Act on the deploy lock");
  lock
    .command("status")
    .description("Show who holds the lock")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).lockStatus(run)));
  lock
    .command("acquire")
    .description("Take the lock, so that no other deploy can run")
    .requiredOption("-m, --message <text>", "why")
    .action((options: { message: string }, command: Command) =>
      withRun(command, async (run) => (await flow()).takeLock(run, options.message)),
    );
  lock
    .command("release")
    .description("Release the lock, even if another run holds it")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).freeLock(run)));
}
