import type { Command } from "commander";
import { addStreamOptions, execChoice, type ExecFlags, typedLine } from "./exec.ts";
import { count } from "./options.ts";
import { withRun } from "./with-run.ts";

/** The small groups that act on the servers themselves: healthcheck, lock, prune, registry, server. */
export function addHost(program: Command): void {
  addHealthcheck(program);
  addLock(program);
  addPrune(program);
  addRegistry(program);
  addServer(program);
}

function addHealthcheck(program: Command): void {
  program
    .command("healthcheck")
    .description("Check that a new container becomes healthy")
    .command("perform", { isDefault: true })
    .description("Start a container of the version on the primary host, wait until healthy, remove it")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/app/healthcheck.ts")).performHealthcheck(run)),
    );
}

function addLock(program: Command): void {
  const flow = () => import("../flow/lock.ts");
  const lock = program.command("lock").description("Act on the deploy lock");
  lock
    .command("status")
    .description("Show who holds the lock")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).lockStatus(run)));
  lock
    .command("acquire")
    .description("Take the lock, so that nobody deploys")
    .requiredOption("-m, --message <text>", "why")
    .action((options: { message: string }, command: Command) =>
      withRun(command, async (run) => (await flow()).takeLock(run, options.message)),
    );
  lock
    .command("release")
    .description("Free the lock, whoever holds it")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).freeLock(run)));
}

function addPrune(program: Command): void {
  const flow = () => import("../flow/prune.ts");
  const prune = program.command("prune").description("Remove what is no longer needed from the servers");
  const retaining = (name: string, description: string) =>
    prune
      .command(name)
      .description(description)
      .option("--retain <number>", "keep that many containers (default: retain_containers, 5)", count);
  retaining("all", "Old containers, then unused images").action((options: { retain?: number }, command: Command) =>
    withRun(command, async (run) => (await flow()).pruneAll(run, options.retain)),
  );
  prune
    .command("images")
    .description("Images that no container uses")
    .action((_: unknown, command: Command) => withRun(command, async (run) => (await flow()).pruneImages(run)));
  retaining("containers", "Stopped containers but the newest").action(
    (options: { retain?: number }, command: Command) =>
      withRun(command, async (run) => (await flow()).pruneContainers(run, options.retain)),
  );
}

interface RegistryScope {
  readonly skipLocal?: boolean;
  readonly skipRemote?: boolean;
}

function addRegistry(program: Command): void {
  const flow = () => import("../flow/registry.ts");
  const registry = program.command("registry").description("Log in to the registry, or out of it");
  const scoped = (name: string, description: string) =>
    registry
      .command(name)
      .description(description)
      .option("-L, --skip-local", "not on this machine")
      .option("-R, --skip-remote", "not on the servers");
  scoped("login", "Log in on this machine and the servers").action((options: RegistryScope, command: Command) =>
    withRun(command, async (run) => (await flow()).login(run, options)),
  );
  scoped("logout", "Log out on this machine and the servers").action((options: RegistryScope, command: Command) =>
    withRun(command, async (run) => (await flow()).logout(run, options)),
  );
}

function addServer(program: Command): void {
  const server = program.command("server").description("Act on the servers themselves");
  server
    .command("bootstrap")
    .description("Install Docker and curl where they are missing")
    .action((_: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/server.ts")).bootstrap(run)),
    );
  addStreamOptions(
    server.command("exec").description("Run a command on the servers (options of mrsk before it)"),
    "the primary host",
  )
    .argument("<command...>")
    .action((words: readonly string[], flags: ExecFlags, command: Command) =>
      withRun(command, async (run) =>
        (await import("../flow/server.ts")).serverExec(run, typedLine(words), execChoice(flags)),
      ),
    );
}
