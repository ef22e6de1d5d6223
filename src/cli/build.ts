import type { Command } from "commander";
import { noCache } from "./options.ts";
import { withRun } from "./with-run.ts";

const flow = () => import("../flow/build/build.ts");
const builder = () => import("../flow/build/builder.ts");

interface BuildOptions {
  readonly output: string;
  readonly cache: boolean;
}

function withOutput(command: Command, byDefault: string): Command {
  return command
    .option("--output <type>", "where docker puts the image: registry, docker, local,dest=FOLDER and so on", byDefault)
    .addOption(noCache());
}

export function addBuild(program: Command): void {
  const build = program.command("build").description("Build the image");
  build
    .command("deliver")
    .description("Build, push, and pull on the servers")
    .addOption(noCache())
    .action(({ cache }: Pick<BuildOptions, "cache">, command: Command) =>
      withRun(command, async (run) => (await flow()).deliver(run, { noCache: !cache })),
    );
  withOutput(build.command("push").description("Build and push"), "registry").action(
    ({ cache, output }: BuildOptions, command: Command) =>
      withRun(command, async (run) => (await flow()).pushImage(run, { output, noCache: !cache })),
  );
  withOutput(
    build
      .command("dev")
      .description("Build the working directory as it is, into this machine's docker, tagged VERSION-dirty"),
    "docker",
  ).action(({ cache, output }: BuildOptions, command: Command) =>
    withRun(command, async (run) => (await flow()).buildDev(run, { output, noCache: !cache })),
  );
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
