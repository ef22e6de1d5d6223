import type { Command } from "commander";
import { withRun } from "./with-run.ts";

/** `healthcheck`. */
export function addHealthcheck(program: Command): void {
  program
    .command("healthcheck")
    .description("Check that a new container becomes healthy")
    .command("perform", { isDefault: true })
    .description("Start a container of the version on the primary host, wait until healthy, remove it")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/app/healthcheck.ts")).performHealthcheck(run)),
    );
}
