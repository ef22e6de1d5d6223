import type { Command } from "commander";
import { noRevert } from "./options.ts";
import { withRun } from "./with-run.ts";

const flow = () => import("../flow/deploy.ts");

interface Typed {
  readonly skipPush?: boolean;
  readonly revert: boolean;
}

function deployOptions({ skipPush, revert }: Typed) {
  return { skipPush: skipPush === true, revert };
}

export function addDeploy(program: Command): void {
  program
    .command("setup")
    .description("Prepare the servers, boot the accessories, then deploy")
    .option("-P, --skip-push", "use the image already in the registry")
    .addOption(noRevert())
    .action((options: Typed, command: Command) =>
      withRun(command, async (run) => (await flow()).setup(run, deployOptions(options))),
    );

  program
    .command("deploy")
    .description("Build and push the image, then switch the servers to it")
    .option("-P, --skip-push", "use the image already in the registry")
    .addOption(noRevert())
    .addHelpText(
      "after",
      "\nExamples:\n  $ mrsk deploy\n  $ mrsk deploy -d staging\n  $ mrsk deploy -P --version 4f2a9c1",
    )
    .action((options: Typed, command: Command) =>
      withRun(command, async (run) => (await flow()).deploy(run, deployOptions(options))),
    );

  program
    .command("redeploy")
    .description("Deploy without registry login, Traefik and pruning")
    .option("-P, --skip-push", "use the image already in the registry")
    .addOption(noRevert())
    .action((options: Typed, command: Command) =>
      withRun(command, async (run) => (await flow()).redeploy(run, deployOptions(options))),
    );

  program
    .command("rollback")
    .description("Switch back to a version that is still on the servers")
    .argument("[version]", "as `mrsk app containers` shows it; without one, the version before")
    .addOption(noRevert())
    .addHelpText("after", "\nExample:\n  $ mrsk rollback 4f2a9c1")
    .action((version: string | undefined, { revert }: { revert: boolean }, command: Command) =>
      withRun(command, async (run) => (await flow()).rollback(run, version, { revert })),
    );

  program
    .command("details")
    .description("Show Traefik, app and accessory containers")
    .action((_options: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/details.ts")).details(run)),
    );

  program
    .command("audit")
    .description("Show the last 50 lines of each app host's audit log")
    .action((_options: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/audit.ts")).showAudit(run)),
    );

  program
    .command("remove")
    .description("Remove Traefik, app, accessories and images from the servers")
    .option("-y, --confirmed", "do not ask")
    .action((options: { confirmed?: boolean }, command: Command) =>
      withRun(command, async (run) =>
        (await import("../flow/remove.ts")).remove(run, { confirmed: options.confirmed === true }),
      ),
    );
}
