import type { Command } from "commander";
import { withRun } from "./with-run.ts";

const flow = () => import("../flow/build/build.ts");
const builder = () => import("../flow/build/builder.ts");

export function addBuild(program: Command): void {
  const build = program.command("build").description("Build the image");
  build
    .command("deliver")
    .description("Build, push, and pull on the servers")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).deliver(run)));
  build
    .command("push")
    .description("Build and push")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).pushImage(run)));
  build
    .command("pull")
    .description("Pull the image on the servers")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).pull(run)));
  build
    .command("create")
    .description("Create the builder on this machine")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await builder()).createBuilder(run)));
  build
    .command("remove")
    .description("Remove the builder from this machine")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await builder()).removeBuilder(run)));
  build
    .command("details")
    .description("Show the builder's name and all builders")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await builder()).builderDetails(run)));
}
