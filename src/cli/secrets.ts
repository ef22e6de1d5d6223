import type { Command } from "commander";
import { globalOptions } from "./options.ts";

interface FetchOptions {
  readonly adapter: string;
  readonly account?: string;
  readonly from?: string;
  readonly inline?: boolean;
}

/** `secrets`: fetch, extract, print. They read no server, and fetch and extract no configuration. */
export function addSecrets(program: Command): void {
  const secrets = program.command("secrets").description("Read secrets from password managers and from .kamal/secrets");
  const act = () => import("./read-secrets.ts");
  secrets
    .command("fetch")
    .description("Fetch secrets from a password manager, as JSON")
    .argument("[names...]", "of the secrets")
    .requiredOption("-a, --adapter <name>", "the password manager: 1password, bitwarden, lastpass …")
    .option("--account <account>", "the account or user name")
    .option("--from <place>", "a vault, folder or project that each name is in")
    .option("--inline", "with escapes, for $NAME in a command of .kamal/secrets")
    .action(async (names: string[], options: FetchOptions) => (await act()).fetch(names, options, write));
  secrets
    .command("extract")
    .description("Print one secret of the output of fetch")
    .argument("<name>", "of the secret")
    .argument("[json]", "the output of fetch; without it, standard input, which other users cannot see in ps")
    .option("--inline", "has no effect")
    .action(async (name: string, json: string | undefined) => (await act()).extract(name, json, write));
  secrets
    .command("print")
    .description("Print all secrets of .kamal/secrets in the clear")
    .action(async (_: unknown, command: Command) => (await act()).print(globalOptions(command), write));
}

function write(text: string): void {
  process.stdout.write(text);
}
