import type { Command } from "commander";
import { addExecOptions, execChoice, type ExecFlags, typedLine } from "./exec.ts";
import { addLogOptions, type LogOptions } from "./logs.ts";
import { withRun } from "./with-run.ts";

const flow = () => import("../flow/accessory.ts");

export function addAccessory(program: Command): void {
  const accessory = program.command("accessory").description("Act on accessories (databases, caches)");
  const named = (name: string, description: string, hidden = false) =>
    accessory.command(name, { hidden }).description(description).argument("<name>", "of the accessory, or `all`");

  named("boot", "Start the container on hosts where it does not run").action(
    (name: string, _: unknown, command: Command) =>
      withRun(command, async (run) => (await flow()).bootAccessory(run, name)),
  );
  named("upload", "Upload its files", true).action((name: string, _: unknown, command: Command) =>
    withRun(command, async (run) => (await flow()).uploadAccessory(run, name)),
  );
  named("directories", "Create its directories", true).action((name: string, _: unknown, command: Command) =>
    withRun(command, async (run) => (await flow()).createAccessoryDirectories(run, name)),
  );
  named("reboot", "Stop and remove the container, then start a new one").action(
    (name: string, _: unknown, command: Command) =>
      withRun(command, async (run) => (await flow()).rebootAccessory(run, name)),
  );
  named("start", "Start the stopped container").action((name: string, _: unknown, command: Command) =>
    withRun(command, async (run) => (await flow()).startAccessory(run, name)),
  );
  named("stop", "Stop the container").action((name: string, _: unknown, command: Command) =>
    withRun(command, async (run) => (await flow()).stopAccessory(run, name)),
  );
  named("restart", "Stop and start the container").action((name: string, _: unknown, command: Command) =>
    withRun(command, async (run) => (await flow()).restartAccessory(run, name)),
  );
  named("details", "Show the container").action((name: string, _: unknown, command: Command) =>
    withRun(command, async (run) => (await flow()).accessoryDetails(run, name)),
  );
  addExecOptions(
    accessory.command("exec").description("Run a command in the accessory (options of mrsk before it)"),
    "its first host",
  )
    .argument("<name>")
    .argument("<command...>")
    .addHelpText(
      "after",
      '\nExamples:\n  $ mrsk accessory exec -i --reuse db psql -U postgres\n  $ mrsk accessory exec --reuse db "psql -U postgres" < dump.sql\n  $ mrsk accessory exec --reuse --raw db "pg_dump -U postgres app" > dump.sql',
    )
    .action((name: string, words: readonly string[], flags: ExecFlags, command: Command) =>
      withRun(command, async (run, terminal) =>
        (await import("../flow/app/exec.ts")).accessoryExec(run, terminal, name, typedLine(words), execChoice(flags)),
      ),
    );
  addLogOptions(named("logs", "Show its log")).action((name: string, options: LogOptions, command: Command) =>
    withRun(command, async (run, terminal) =>
      (await import("../flow/app/logs.ts")).accessoryLogs(run, terminal, name, options),
    ),
  );
  named("remove", "Remove container, image and data directory")
    .option("-y, --confirmed", "do not ask")
    .action((name: string, options: { confirmed?: boolean }, command: Command) =>
      withRun(command, async (run) =>
        (await flow()).removeAccessory(run, name, { confirmed: options.confirmed === true }),
      ),
    );
  named("remove-container", "Remove the container", true).action((name: string, _: unknown, command: Command) =>
    withRun(command, async (run) => (await flow()).removeAccessoryContainer(run, name)),
  );
  named("remove-image", "Remove the image", true).action((name: string, _: unknown, command: Command) =>
    withRun(command, async (run) => (await flow()).removeAccessoryImage(run, name)),
  );
  named("remove-service-directory", "Remove the data directory", true).action(
    (name: string, _: unknown, command: Command) =>
      withRun(command, async (run) => (await flow()).removeAccessoryDirectory(run, name)),
  );
}
