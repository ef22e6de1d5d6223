import { resolve } from "node:path";
import { ConfigError } from "../../errors.ts";
import { LocalCommandError, localCommand } from "../env/local-command.ts";
import { seemsSecret } from "../env/named-secrets.ts";
import type { Secret } from "../env/secret.ts";
import { readTextFile } from "../text-file.ts";
import type { Fetched } from "./adapters/adapter.ts";
import { secretsFiles } from "./files.ts";
import { SeenSecrets } from "./masking.ts";
import { asJson, extractSecret, type Fetch, fetchSecrets, readFetch } from "./secrets-command.ts";
import { SecretsCommandError } from "./secrets-command-error.ts";
import { shellEscape, shellWords } from "./shell-escape.ts";
import { readStatements, type Statement, unescaped, variablesIn, withCommands, withVariables } from "./statements.ts";

/** More than all values of a file together have. */
const MOST_CHARACTERS = 4_000_000;

export interface KamalSecretsSource {
  readonly cwd: string;
  /** `secrets_path`: the name of the files without `-common` and `.DESTINATION`, relative to `cwd`. */
  readonly path: string;
  readonly destination: string | undefined;
  readonly processEnvironment: Readonly<Record<string, string | undefined>>;
  /** With `-v`, commands have VERBOSE=1. */
  readonly verbose: boolean;
}

/**
 * The values of `.kamal/secrets-common` and of `.kamal/secrets` (with a destination: `.kamal/secrets.DESTINATION`). The
 * second file wins. A value is evaluated when it is first needed, and its commands run once, one at a time: a password
 * manager may wait for input.
 */
export class KamalSecrets {
  /** The files that exist. */
  readonly files: readonly string[];
  private readonly cwd: string;
  /** For commands. The files' own variables are not in it. */
  private readonly environment: Readonly<Record<string, string>>;
  /** Each file's statements by name, each list in the order of the file. */
  private readonly statements: readonly ReadonlyMap<string, readonly Statement[]>[];
  private readonly values = new Map<Statement, Promise<string>>();
  private readonly fetched = new Map<string, Promise<Fetched>>();
  private readonly seen = new SeenSecrets();
  private readonly names: readonly string[];
  private last: Promise<unknown> = Promise.resolve();

  /** @throws ConfigError if a file cannot be read */
  constructor({ cwd, path, destination, processEnvironment, verbose }: KamalSecretsSource) {
    this.cwd = cwd;
    this.environment = commandEnvironment(processEnvironment, destination, verbose);
    this.names = secretsFiles(path, destination);
    const read = this.names.flatMap((name): { name: string; statements: Statement[] }[] => {
      const text = readTextFile(resolve(cwd, name), name);
      return text === undefined ? [] : [{ name, statements: readStatements(text, name) }];
    });
    this.files = read.map(({ name }) => name);
    this.statements = read.map(({ statements }) => byName(statements));
  }

  /** Why a secret is not found. */
  get whyMissing(): string {
    if (this.files.length > 0) return `is not in ${this.files.join(" or ")}`;
    return `is not set: there is neither ${this.names.join(" nor ")}`;
  }

  /** The values read so far, to mask them. */
  get resolved(): readonly Secret[] {
    return this.seen.all;
  }

  /** A sentence for each value that loses a part of its text, since a `$NAME` in it is not set. */
  get notes(): string[] {
    return this.statements.flatMap((file) =>
      [...file.values()].flat().flatMap((statement) => {
        const lost = lostVariables(statement, file, this.environment);
        if (lost.length === 0) return [];
        const advice = String.raw`for a literal dollar sign, write \$`;
        const dollars = lost.map((name) => `$${name}`).join(", ");
        return [`${statement.place}: ${statement.name}: ${dollars} is not set, and is replaced by nothing: ${advice}`];
      }),
    );
  }

  /** undefined for a name that no file has. @throws ConfigError if a command of the value fails */
  async get(name: string): Promise<string | undefined> {
    const file = this.statements.findLast((one) => one.has(name));
    return file && this.value(file.get(name)!.at(-1)!, file);
  }

  /** All values by name, and the errors of those that fail. */
  async evaluateAll(): Promise<{
    readonly values: ReadonlyMap<string, string>;
    readonly failures: readonly unknown[];
  }> {
    const values = new Map<string, string>();
    const failures: unknown[] = [];
    for (const name of new Set(this.statements.flatMap((file) => [...file.keys()]))) {
      try {
        values.set(name, (await this.get(name))!);
      } catch (error) {
        failures.push(error);
      }
    }
    return { values, failures };
  }

  private value(statement: Statement, file: ReadonlyMap<string, readonly Statement[]>): Promise<string> {
    const known = this.values.get(statement);
    if (known) return known;
    const value = this.evaluate(statement, file);
    // The failure is reported where the value is used.
    value.catch(() => undefined);
    this.values.set(statement, value);
    return value;
  }

  private async evaluate(statement: Statement, file: ReadonlyMap<string, readonly Statement[]>): Promise<string> {
    // Without a pause, a long chain of names would be a deep recursion.
    await Promise.resolve();
    const value = statement.quote === "'" ? statement.text : await this.expand(statement, file);
    if (seemsSecret(statement.name, value)) this.seen.add(statement.name, value);
    return value;
  }

  private async expand(statement: Statement, file: ReadonlyMap<string, readonly Statement[]>): Promise<string> {
    const above = (name: string) => {
      const found = file.get(name)?.findLast(({ index }) => index < statement.index);
      return found && this.value(found, file);
    };
    const mode = (await above("DOTENV_LINEBREAK_MODE")) ?? this.environment["DOTENV_LINEBREAK_MODE"];
    const text = unescaped(statement, mode === "legacy");
    const used: string[] = [];
    const fromProcess = (name: string) => {
      const value = this.environment[name];
      if (value !== undefined) used.push(value);
      return value ?? "";
    };
    const replaced = await withVariables(text, async (name) => (await above(name)) ?? fromProcess(name));
    if (replaced.length > MOST_CHARACTERS) {
      throw failed(statement, `the value has more than ${MOST_CHARACTERS} characters`);
    }
    return withCommands(replaced, async (command) => {
      // As in Kamal, this second replacement prefers the process to the file.
      const line = await withVariables(command, async (name) =>
        name in this.environment ? fromProcess(name) : ((await above(name)) ?? ""),
      );
      return this.oneAtATime(() => this.run(line, statement, used));
    });
  }

  private oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }

  /** @param used values of the process that the line may contain */
  private async run(line: string, statement: Statement, used: readonly string[]): Promise<string> {
    try {
      const own = ownCommand(line);
      const output = own ? await this.secrets(own.words, own.inline) : await this.shell(line);
      return output.replace(/\r?\n$/, "");
    } catch (error) {
      if (error instanceof SecretsCommandError) {
        throw failed(statement, `kamal: ${this.seen.mask(error.message, used)}`, error);
      }
      if (!(error instanceof LocalCommandError)) throw error;
      const problem = this.seen.mask(`$(${programOf(line)} …) ${error.message}`, used);
      throw failed(statement, problem, error);
    }
  }

  private shell(line: string): Promise<string> {
    return localCommand(withPlainName(line), { cwd: this.cwd, environment: this.environment, showsErrors: true });
  }

  /** Carries out `kamal secrets …`. @param inline whether the value is for another command of the file: with escapes */
  private async secrets([command, ...args]: readonly string[], inline: boolean): Promise<string> {
    if (command === "fetch") {
      const json = asJson(await this.fetch(readFetch(args)));
      return inline ? shellEscape(json) : json;
    }
    if (command === "extract") {
      const [name, json, ...more] = args.filter((word) => word !== "--inline");
      if (name === undefined || json === undefined || more.length > 0) {
        throw new SecretsCommandError(`expected a name and the output of secrets fetch, got ${args.length} words`);
      }
      return extractSecret(name, json);
    }
    if (command === "print")
      throw new SecretsCommandError("secrets print cannot run inside a secrets file, which it would read");
    throw new SecretsCommandError(`expected fetch or extract`);
  }

  private fetch(request: Fetch): Promise<Fetched> {
    const key = JSON.stringify([request.adapter, request.account, request.from, request.names]);
    const known = this.fetched.get(key);
    if (known) return known;
    const mask = (text: string) => this.seen.mask(text);
    const result = fetchSecrets(request, { cwd: this.cwd, environment: this.environment, mask }).then((fetched) => {
      for (const [name, value] of fetched) this.seen.add(name, value);
      return fetched;
    });
    this.fetched.set(key, result);
    return result;
  }
}

function byName(statements: readonly Statement[]): ReadonlyMap<string, readonly Statement[]> {
  const grouped = new Map<string, Statement[]>();
  for (const statement of statements) {
    const group = grouped.get(statement.name);
    if (group) group.push(statement);
    else grouped.set(statement.name, [statement]);
  }
  return grouped;
}

function commandEnvironment(
  processEnvironment: Readonly<Record<string, string | undefined>>,
  destination: string | undefined,
  verbose: boolean,
): Record<string, string> {
  const { KAMAL_DESTINATION: _, ...rest } = processEnvironment;
  const given = Object.entries(rest).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return {
    ...Object.fromEntries(given),
    ...(destination === undefined ? {} : { KAMAL_DESTINATION: destination }),
    ...(verbose ? { VERBOSE: "1" } : {}),
  };
}

/**
 * The words after `secrets` of a line that this program carries out. Kamal takes `kamal secrets …`, with everything after
 * it as arguments. It runs `bin/kamal secrets …` and `bundle exec kamal secrets …` in a shell, and so without `--inline`.
 */
function ownCommand(line: string): { readonly words: readonly string[]; readonly inline: boolean } | undefined {
  const inline = /^\s*(?:kamal|mrsk)\s+secrets\s/.test(line);
  if (!inline && !isSingleCommand(line)) return undefined;
  const words = shellWords(line);
  if (words === undefined) throw new SecretsCommandError("a quote is left open");
  return { words: words.slice(words.indexOf("secrets") + 1), inline };
}

const KAMAL_OF_PROJECT = /(?<![^\s;|&(])(?:(?:\.\/)?bin\/kamal|bundle\s+exec\s+kamal)(?=\s+secrets\s)/g;

/** Whether it is a command of the project's Kamal that a shell would only split into words. */
function isSingleCommand(line: string): boolean {
  if (line.trimStart().search(KAMAL_OF_PROJECT) !== 0) return false;
  const outsideQuotes = line.replaceAll(/\\.|'[^']*'|"(?:\\.|[^"\\$`])*"/gs, "");
  return !/[|&;<>()$`\n*?[\]#~"']/.test(outsideQuotes);
}

/** The project's Kamal need not be installed: the `kamal` on the PATH is this program. */
function withPlainName(line: string): string {
  return line.replaceAll(KAMAL_OF_PROJECT, "kamal");
}

/** The name of the program alone: the arguments may contain a secret. */
function programOf(line: string): string {
  return /^\s*(?:[A-Za-z_][A-Za-z0-9_]*=\S*\s+)*([A-Za-z0-9_./-]+)/.exec(line)?.[1] ?? "command";
}

function failed({ place, name }: Statement, message: string, cause?: Error): ConfigError {
  return new ConfigError([`${place}: ${name}: ${message}`], { cause });
}

function lostVariables(
  statement: Statement,
  file: ReadonlyMap<string, readonly Statement[]>,
  environment: Readonly<Record<string, string>>,
): string[] {
  if (statement.quote === "'") return [];
  const names = new Set(variablesIn(unescaped(statement, false)));
  return [...names].filter(
    (name) => environment[name] === undefined && !file.get(name)?.some(({ index }) => index < statement.index),
  );
}
