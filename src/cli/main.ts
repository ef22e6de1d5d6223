import { Command, CommanderError } from "commander";
import { asFileError, ExitCode, HostsFailedError, MrskError } from "../errors.ts";
import { printable } from "../output/printable.ts";
import { addAccessory } from "./accessory.ts";
import { addApp } from "./app.ts";
import { normalizeArgv, type NormalizedArgv } from "./argv.ts";
import { addBuild } from "./build.ts";
import { addDeploy } from "./deploy.ts";
import { addDocs } from "./docs.ts";
import { addDowngrade } from "./downgrade.ts";
import { addProject } from "./project.ts";
import { addHealthcheck } from "./healthcheck.ts";
import { addLock } from "./lock.ts";
import { addCommandsWithoutCounterpart } from "./no-counterpart.ts";
import { addPrune } from "./prune.ts";
import { addRegistry } from "./registry.ts";
import { addSecrets } from "./secrets.ts";
import { addServer } from "./server.ts";
import { examplesText } from "./examples.ts";
import { addGlobalOptions, commandWords } from "./options.ts";
import { outputFailure, watchOutputs } from "./standard-streams.ts";
import { addSsl } from "./ssl.ts";
import { addTraefik } from "./traefik.ts";
import { unknownCommand } from "./unknown-words.ts";

/** The whole command tree. */
export function buildProgram(): Command {
  const program = new Command("mrsk")
    .description("Deploy web apps in containers to plain servers over SSH")
    .exitOverride()
    .helpOption("--help", "show what a command does")
    .helpCommand("help [command]", "show what a command does")
    .showHelpAfterError("(run with --help to see the commands and options)")
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .addHelpText(
      "after",
      `
Examples:
  $ mrsk init                                  write config/deploy.yml, .kamal/secrets and sample hooks
  $ mrsk setup                                 first deploy, Docker and accessories included
  $ mrsk deploy                                build, push, and switch to the new version
  $ mrsk rollback 4f2a9c1                      roll back to a version that is still on the servers
  $ mrsk app exec --reuse npm run migrate      run a command in the running containers`,
    );
  addGlobalOptions(program);
  for (const add of [
    addDeploy,
    addApp,
    addAccessory,
    addBuild,
    addSsl,
    addTraefik,
    addHealthcheck,
    addLock,
    addPrune,
    addRegistry,
    addSecrets,
    addServer,
    addProject,
    addDocs,
    addDowngrade,
    addCommandsWithoutCounterpart,
  ]) {
    add(program);
  }
  return program;
}

/** Runs one command line and returns its exit code. Never throws and never exits, so that tests can call it. */
export async function main(
  argv: readonly string[],
  // Opening the stream takes milliseconds, which only a command with an error spends.
  stderr: { write(text: string): unknown } = { write: (text) => process.stderr.write(text) },
): Promise<number> {
  try {
    const program = buildProgram();
    const { words, path } = await commandLine(program, argv);
    // Only the commands on the path get the global options: adding them to all commands takes longer than everything else.
    for (const command of path) addGlobalOptions(command).addHelpText("after", examplesText(commandWords(command)));
    await program.parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      const isHelp =
        error.exitCode === 0 || error.code === "commander.help" || error.code === "commander.helpDisplayed";
      return isHelp ? 0 : ExitCode.usage;
    }
    const known = asFileError(error);
    stderr.write(printable(explain(known, argv.includes("-v") || argv.includes("--verbose"))));
    return known instanceof MrskError ? known.exitCode : ExitCode.bug;
  }
}

/**
 * Expands aliases, and finds out whose the options in a user's command are. The configuration is read only if a word is no
 * command, or if an option may belong to mrsk or to the user's command.
 * @throws UsageError for an unknown command
 */
async function commandLine(program: Command, argv: readonly string[]): Promise<NormalizedArgv> {
  const typed = normalizeArgv(program, argv);
  if (typed.unknown === undefined && !typed.ambiguous) return typed;
  const { readProject, withAliases } = await import("./aliases.ts");
  const { aliases, ofKamal2 } = await readProject(argv);
  const line = withAliases(argv, aliases, (expanded) => normalizeArgv(program, expanded.argv, expanded).unknown);
  const meant = normalizeArgv(program, line.argv, { ...line, optionsAnywhere: ofKamal2 });
  if (meant.unknown === undefined) return meant;
  throw unknownCommand(program, line.argv[meant.unknown]!, [...aliases.keys()]);
}

/** Message and hint of a known failure; for a bug its stack. */
export function explain(error: unknown, verbose: boolean): string {
  if (!(error instanceof MrskError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `ERROR (bug in mrsk): ${text}\nPlease report it with this text.\n`;
  }
  const hint = error.hint ? `\n${error.hint}` : "";
  const cause =
    verbose && error.cause instanceof Error ? `\nCaused by: ${error.cause.stack ?? error.cause.message}` : "";
  const { name } = error instanceof HostsFailedError && error.cause instanceof MrskError ? error.cause : error;
  return `ERROR (${name}): ${error.message}${hint}${cause}\n`;
}

const LAST_SECONDS = 3;

/** The entry point of `bin/`. */
export async function start(): Promise<void> {
  let failure: string | undefined;
  // Never removed: without a listener, an error of a stream would end the process immediately.
  watchOutputs(process, (name, error) => (failure ??= outputFailure(name, error)));
  const status = await main(process.argv.slice(2));
  // The error of the last write is emitted a moment later.
  await new Promise((resolve) => setImmediate(resolve));
  if (failure !== undefined) process.stderr.write(failure);
  process.exitCode = status === 0 && failure !== undefined ? ExitCode.bug : status;
  // An open connection or a program that ignores signals must not keep the process alive.
  setTimeout(() => process.exit(), LAST_SECONDS * 1000).unref();
}
