import type { Command } from "commander";
import { withRun } from "./with-run.ts";

interface RegistryScope {
  readonly skipLocal?: boolean;
  readonly skipRemote?: boolean;
}

/** `registry`: login and logout, which Kamal 2 also calls setup and remove. */
export function addRegistry(program: Command): void {
  const flow = () => import("../flow/registry.ts");
  const registry = program.command("registry").description("Log in to the registry, or out of it");
  const scoped = (name: string, alias: string, description: string) =>
    registry
      .command(name)
      .alias(alias)
      .description(description)
      .option("-L, --skip-local", "not on this machine")
      .option("-R, --skip-remote", "not on the servers");
  scoped("login", "setup", "Log in on this machine and the servers").action(
    (options: RegistryScope, command: Command) => withRun(command, async (run) => (await flow()).login(run, options)),
  );
  scoped("logout", "remove", "Log out on this machine and the servers").action(
    (options: RegistryScope, command: Command) => withRun(command, async (run) => (await flow()).logout(run, options)),
  );
}
