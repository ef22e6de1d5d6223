import type { Command } from "commander";
import { addLogOptions, type LogOptions } from "./logs.ts";
import { withRun } from "./with-run.ts";

const flow = () => import("../flow/traefik/traefik.ts");
const removal = () => import("../flow/traefik/removal.ts");

export function addTraefik(program: Command): void {
  const traefik = program.command("traefik").alias("proxy").description("Act on Traefik, the proxy on each web server");
  traefik
    .command("boot")
    .description("Start Traefik on hosts where it does not run")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).bootTraefik(run)));
  traefik
    .command("reboot")
    .description("Replace Traefik's container, so that changed settings take effect")
    .option("--rolling", "host by host")
    .option("-y, --confirmed", "do not ask")
    .action((options: { rolling?: boolean; confirmed?: boolean }, command: Command) =>
      withRun(command, async (run) =>
        (await import("../flow/traefik/reboot.ts")).rebootTraefik(run, {
          rolling: options.rolling === true,
          confirmed: options.confirmed === true,
        }),
      ),
    );
  traefik
    .command("start")
    .description("Start the stopped container")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).startTraefik(run)));
  traefik
    .command("stop")
    .description("Stop the container")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).stopTraefik(run)));
  traefik
    .command("restart")
    .description("Stop and start the container")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).restartTraefik(run)));
  traefik
    .command("details")
    .description("Show the container")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).traefikDetails(run)));
  addLogOptions(traefik.command("logs").description("Show Traefik's log")).action(
    (options: LogOptions, command: Command) =>
      withRun(command, async (run, terminal) =>
        (await import("../flow/app/logs.ts")).traefikLogs(run, terminal, options),
      ),
  );
  traefik
    .command("remove")
    .description("Remove container and image")
    .option("-f, --force", "also if other services use it")
    .action((options: { force?: boolean }, command: Command) =>
      withRun(command, async (run) => (await removal()).removeTraefik(run, { force: options.force === true })),
    );
  traefik
    .command("remove-container", { hidden: true })
    .description("Remove the stopped container")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await removal()).removeStoppedTraefik(run)),
    );
  traefik
    .command("remove-image", { hidden: true })
    .description("Remove the image")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await removal()).removeTraefikImageOnly(run)),
    );
}
