import type { Command } from "commander";
import { DEFAULTS } from "../config/defaults.ts";
import { count } from "./options.ts";
import { withRun } from "./with-run.ts";

/** `prune`: all, images, containers. */
export function addPrune(program: Command): void {
  const flow = () => import("../flow/prune.ts");
  const prune = program.command("prune").description("Remove what is no longer needed from the servers");
  const retaining = (name: string, description: string) =>
    prune
      .command(name)
      .description(description)
      .option(
        "--retain <number>",
        `number of containers to keep (default: retain_containers, ${DEFAULTS.retainContainers})`,
        count,
      );
  retaining("all", "Remove old containers, then unused images").action(
    (options: { retain?: number }, command: Command) =>
      withRun(command, async (run) => (await flow()).pruneAll(run, options.retain)),
  );
  prune
    .command("images")
    .description("Remove images that no container uses")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).pruneImages(run)));
  retaining("containers", "Remove stopped containers except the newest").action(
    (options: { retain?: number }, command: Command) =>
      withRun(command, async (run) => (await flow()).pruneContainers(run, options.retain)),
  );
}
