import type { Command } from "commander";
import { addStreamOptions, execChoice, type ExecFlags, typedLine } from "./exec.ts";
import { withRun } from "./with-run.ts";

/** `server`: bootstrap, exec. */
export function addServer(program: Command): void {
  const server = program.command("server").description("Act on the servers themselves");
  server
    .command("bootstrap")
    .description("Install Docker and curl on hosts that lack them")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/server.ts")).bootstrap(run)),
    );
  addStreamOptions(
    server.command("exec").description("Run a command on the servers (options of mrsk before it)"),
    "the primary host",
  )
    .argument("<command...>")
    .action((words: readonly string[], flags: ExecFlags, command: Command) =>
      withRun(command, async (run, terminal) =>
        (await import("../flow/server.ts")).serverExec(run, terminal, typedLine(words), execChoice(flags)),
      ),
    );
}
