import type { Command } from "commander";
import { addExecOptions, execChoice, type ExecFlags, typedLine } from "./exec.ts";
import { addLogOptions, type AppLogOptions } from "./logs.ts";
import type { MaintenanceChoice } from "../flow/app/maintenance.ts";
import { noRevert, seconds } from "./options.ts";
import { withRun } from "./with-run.ts";

const flow = () => import("../flow/app/app.ts");
const removal = () => import("../flow/app/removal.ts");

export function addApp(program: Command): void {
  const app = program.command("app").description("Act on the app's containers");

  app
    .command("boot")
    .description("Start the app again on the servers (zero downtime when a version runs)")
    .addOption(noRevert())
    .action(({ revert }: { revert: boolean }, command: Command) =>
      withRun(command, async (run) => (await import("../flow/rollout/boot.ts")).bootApp(run, { revert })),
    );
  app
    .command("start")
    .description("Start the stopped containers of the version last live")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/app/start-stop.ts")).startApp(run)),
    );
  app
    .command("stop")
    .description("Let the requests under way finish, then stop the containers: the app answers 503")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/app/start-stop.ts")).stopApp(run)),
    );
  app
    .command("maintenance")
    .description("Answer 503 to new requests until `app live`; the containers continue")
    .option("--drain-timeout <seconds>", "longest wait for requests in progress (default: drain_timeout)", seconds)
    .option("--message <text>", "has no effect: Traefik answers 503 without a page")
    .action((options: MaintenanceChoice, command: Command) =>
      withRun(command, async (run) => (await import("../flow/app/maintenance.ts")).startMaintenance(run, options)),
    );
  app
    .command("live")
    .description("End the maintenance")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/app/maintenance.ts")).endMaintenance(run)),
    );
  app
    .command("details")
    .description("Show the running containers")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).appDetails(run)));
  addExecOptions(
    app.command("exec").description("Run a command in a container of the app (options of mrsk before it)"),
    "the primary host",
  )
    .option("--detach", "return when the command has started, in a new container that remains when it ends")
    .argument("<command...>")
    .addHelpText(
      "after",
      '\nExamples:\n  $ mrsk app exec --reuse npm run migrate\n  $ mrsk app exec -i bash\n  $ mrsk app exec -p "node report.js" < input.csv',
    )
    .action((words: readonly string[], flags: ExecFlags, command: Command) =>
      withRun(command, async (run, terminal) =>
        (await import("../flow/app/exec.ts")).appExec(run, terminal, typedLine(words), execChoice(flags)),
      ),
    );
  app
    .command("containers")
    .description("Show all containers of the app, stopped ones too")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).appContainers(run)));
  app
    .command("stale-containers")
    .description("Show running containers of old versions")
    .option("-s, --stop", "stop them")
    .action((options: { stop?: boolean }, command: Command) =>
      withRun(command, async (run) => (await flow()).staleContainers(run, { stop: options.stop === true })),
    );
  app
    .command("images")
    .description("Show the app's images on the servers")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).appImages(run)));
  addLogOptions(app.command("logs").description("Show the log of the running containers"))
    .option("--container-id <id>", "of this container of the app, which may be stopped")
    .action((options: AppLogOptions, command: Command) =>
      withRun(command, async (run, terminal) => (await import("../flow/app/logs.ts")).appLogs(run, terminal, options)),
    );
  app
    .command("remove")
    .description("Remove the app's containers and images from the servers")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await removal()).removeApp(run)));
  app
    .command("remove-container", { hidden: true })
    .argument("<version>")
    .action((version: string, _: unknown, command: Command) =>
      withRun(command, async (run) => (await removal()).removeAppContainer(run, version)),
    );
  app
    .command("remove-containers", { hidden: true })
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await removal()).removeAppContainers(run)),
    );
  app
    .command("remove-images", { hidden: true })
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await removal()).removeAppImages(run)));
  app
    .command("version")
    .description("Show the version that runs on each server")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).appVersion(run)));
}
