import type { Command } from "commander";
import { SHOWN_AUDIT_LINES } from "../config/defaults.ts";
import { noCache, noRevert } from "./options.ts";
import { withRun } from "./with-run.ts";

const flow = () => import("../flow/rollout/deploy.ts");

interface DeployFlags {
  readonly skipPush?: boolean;
  readonly canary?: string;
  readonly revert: boolean;
  readonly cache: boolean;
}

function addDeployFlags(command: Command): Command {
  return command
    .option("-P, --skip-push", "use the image already in the registry")
    .option(
      "--canary <target>",
      "as a canary: for a percentage of the requests (10%), or on these hosts; then promote or rollback",
    )
    .addOption(noCache())
    .addOption(noRevert());
}

function runDeploy(
  command: Command,
  name: "deploy" | "redeploy",
  { skipPush = false, canary, revert, cache }: DeployFlags,
) {
  return withRun(command, async (run) => {
    const options = { skipPush, revert, noCache: !cache };
    if (canary === undefined) await (await flow())[name](run, options);
    else await (await import("../flow/rollout/promote.ts")).deployCanary(run, canary, { command: name, ...options });
  });
}

export function addDeploy(program: Command): void {
  program
    .command("setup")
    .description("Prepare the servers, boot the accessories, then deploy")
    .option("-P, --skip-push", "use the image already in the registry")
    .addOption(noCache())
    .addOption(noRevert())
    .action(({ skipPush = false, revert, cache }: DeployFlags, command: Command) =>
      withRun(command, async (run) => void (await (await flow()).setup(run, { skipPush, revert, noCache: !cache }))),
    );

  addDeployFlags(program.command("deploy"))
    .description("Build and push the image, then switch the servers to it")
    .addHelpText(
      "after",
      "\nExamples:\n  $ mrsk deploy\n  $ mrsk deploy -d staging\n  $ mrsk deploy -P --version 4f2a9c1\n  $ mrsk deploy --canary 10%\n  $ mrsk deploy --canary 192.0.2.10",
    )
    .action((options: DeployFlags, command: Command) => runDeploy(command, "deploy", options));

  addDeployFlags(program.command("redeploy"))
    .description("Deploy without registry login")
    .action((options: DeployFlags, command: Command) => runDeploy(command, "redeploy", options));

  program
    .command("promote")
    .description("Give the canary's version all requests, on all hosts")
    .action((_options: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/rollout/promote.ts")).promote(run)),
    );

  program
    .command("rollback")
    .description("Roll back a canary, or roll back to a version that is still on the servers")
    .argument(
      "[version]",
      "as `mrsk app containers` shows it, or its first seven digits (default: the version before the canary or the last deploy)",
    )
    .addOption(noRevert())
    .addHelpText("after", "\nExample:\n  $ mrsk rollback 4f2a9c1")
    .action((version: string | undefined, { revert }: { revert: boolean }, command: Command) =>
      withRun(command, async (run) =>
        (await import("../flow/rollout/rollback.ts")).rollback(run, version ?? run.givenVersion, { revert }),
      ),
    );

  program
    .command("details")
    .description("Show Traefik, app and accessory containers")
    .action((_options: unknown, command: Command) =>
      withRun(command, async (run) => (await import("../flow/details.ts")).details(run)),
    );

  program
    .command("audit")
    .description(`Show the last ${SHOWN_AUDIT_LINES} lines of each app host's audit log`)
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
