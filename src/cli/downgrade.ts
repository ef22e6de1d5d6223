import type { Command } from "commander";
import { withRun } from "./with-run.ts";

interface Options {
  readonly rolling?: boolean;
  readonly confirmed?: boolean;
}

const flow = () => import("../flow/downgrade.ts");
const choice = ({ rolling, confirmed }: Options) => ({ rolling: rolling === true, confirmed: confirmed === true });

/** The commands of Kamal 1.9 that return from Kamal 2: for everything, for Traefik, for accessories. */
export function addDowngrade(program: Command): void {
  const group = (name: string) => program.commands.find((command) => command.name() === name)!;
  const named = (parent: Command, description: string) =>
    parent
      .command("downgrade", { hidden: true })
      .description(description)
      .option("--rolling", "host by host")
      .option("-y, --confirmed", "do not ask");
  named(program, "Replace kamal-proxy by Traefik, and reboot the accessories").action(
    (options: Options, command: Command) =>
      withRun(command, async (run) => (await flow()).downgrade(run, choice(options))),
  );
  named(group("traefik"), "Replace kamal-proxy by Traefik").action((options: Options, command: Command) =>
    withRun(command, async (run) => (await flow()).downgradeTraefik(run, choice(options))),
  );
  named(group("accessory"), "Reboot it without the network of Kamal 2")
    .argument("<name>", "of the accessory, or `all`")
    .action((name: string, options: Options, command: Command) =>
      withRun(command, async (run) => (await flow()).downgradeAccessory(run, name, choice(options))),
    );
}
