import type { Command } from "commander";
import { showConfig } from "../flow/config.ts";
import { printable } from "../output/printable.ts";
import { once, readConfiguration, versionOf } from "./configuration.ts";

/** `config`. Opens no run: it connects to no host and reports no progress. */
export async function configCommand(command: Command, options: { json: boolean }): Promise<void> {
  const given = await readConfiguration(command);
  const { hosts, roles, primary = false } = given.options;
  if (hosts || roles) {
    const { select } = await import("../plan/select.ts");
    select(given.config, { hosts, roles, primary });
  }
  const git = once(async () => {
    const [{ LocalHost }, { KnownSecrets }, { gitState }] = await Promise.all([
      import("../hosts/local-host.ts"),
      import("../script/known-secrets.ts"),
      import("../flow/build/git.ts"),
    ]);
    const local = new LocalHost(
      given.cwd,
      await given.environment.forCommands(),
      () => {},
      // Only git runs, and its output is not printed.
      new KnownSecrets(() => []),
    );
    return gitState(local);
  });
  const print = (text: string) => void process.stdout.write(printable(text));
  await showConfig({ config: given.config, requestedVersion: versionOf(given, git), print }, options);
}
