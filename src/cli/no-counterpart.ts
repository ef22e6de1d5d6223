import type { Command } from "commander";
import { UsageError } from "../errors.ts";

const NOTHING_TO_UPGRADE = [
  "There is nothing to upgrade: mrsk reads deploy.yml of MRSK, Kamal 1 and Kamal 2 as it is, and its proxy is Traefik",
  "`mrsk deploy` deploys. If kamal-proxy runs on the servers, `mrsk downgrade` replaces it with Traefik.",
] as const;

/** The commands of Kamal 2 that mrsk does not have: group, name, message, hint. */
const COMMANDS: readonly (readonly [group: string | undefined, name: string, message: string, hint: string])[] = [
  [undefined, "upgrade", ...NOTHING_TO_UPGRADE],
  ["traefik", "upgrade", ...NOTHING_TO_UPGRADE],
  ["accessory", "upgrade", ...NOTHING_TO_UPGRADE],
  [
    "traefik",
    "boot-config",
    "mrsk has no boot_config: the settings of the proxy are in deploy.yml",
    "Write them below proxy.run in a file of Kamal 2, or below traefik, then run `mrsk traefik reboot`.",
  ],
  [
    "traefik",
    "remove-proxy-directory",
    "There is no directory of kamal-proxy to remove: mrsk runs Traefik",
    "`mrsk traefik remove` removes Traefik.",
  ],
  [
    "app",
    "remove-app-directories",
    "The files of the app on the servers are removed together with its containers and images",
    "Run `mrsk app remove`.",
  ],
  [
    "accessory",
    "pull-image",
    "The image of an accessory is pulled when its container is created",
    "Run `mrsk accessory reboot NAME`.",
  ],
];

/** Adds commands that read and change nothing, and end with an error that names what takes their place. */
export function addCommandsWithoutCounterpart(program: Command): void {
  for (const [group, name, message, hint] of COMMANDS) {
    const parent = group === undefined ? program : program.commands.find((command) => command.name() === group)!;
    parent
      .command(name, { hidden: true })
      .description(message)
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw new UsageError(message, { hint });
      });
  }
}
