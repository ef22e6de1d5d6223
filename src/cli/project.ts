import { type Command, Option } from "commander";
import { printable } from "../output/printable.ts";
import { globalOptions } from "./options.ts";

/** Kamal kept env files on the servers, which had to be pushed before a deploy. Scripts with these commands still work. */
function addEnv(program: Command): void {
  const env = program.command("env", { hidden: true }).description("Has no effect: there are no env files");
  for (const name of ["push", "delete"]) {
    env
      .command(name)
      .description("Does nothing")
      .action(() => {
        process.stdout.write(
          "There are no env files on the servers: values reach a container with the command that starts it.\n",
        );
      });
  }
}

/** The commands that run on this machine alone: init, config, envify, version. */
export function addProject(program: Command): void {
  program
    .command("config")
    .description("Show the resolved configuration, secrets redacted")
    .option("--json", "print JSON")
    .action((options: { json?: boolean }, command: Command) =>
      import("./show-config.ts").then(({ configCommand }) => configCommand(command, { json: options.json === true })),
    );
  program
    .command("init")
    .description("Write config/deploy.yml, .kamal/secrets and sample hooks to start from")
    .option("--bundle", "print what replaces the binstub bin/mrsk")
    .action(async (options: { bundle?: boolean }) =>
      (await import("./init.ts")).init(process.cwd(), (text) => process.stdout.write(text), {
        bundle: options.bundle === true,
      }),
    );
  program
    .command("envify")
    .description("Evaluate .env.erb into .env (with -d: .env.NAME.erb into .env.NAME)")
    // Kamal pushed env files to the servers; there are none here.
    .addOption(new Option("-P, --skip-push", "has no effect").hideHelp())
    .action(async (_: unknown, command: Command) =>
      (await import("./envify.ts")).envify(
        process.cwd(),
        globalOptions(command).destination,
        process.env,
        (text) => void process.stderr.write(`${printable(text)}\n`),
      ),
    );
  addEnv(program);
  program
    .command("version")
    .description("Show the version of mrsk")
    .action(async () => {
      const { MRSK_VERSION } = await import("../program-version.ts");
      process.stdout.write(`${MRSK_VERSION}\n`);
    });
}
