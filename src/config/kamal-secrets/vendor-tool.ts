import { isatty } from "node:tty";
import { SecretsCommandError } from "./secrets-command-error.ts";

/** More than any vault prints for one call. */
const MOST_CHARACTERS = 10_000_000;

export interface ToolContext {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Removes known secrets from the output of a tool that failed. */
  readonly mask: (text: string) => string;
}

/** The command line tool of a password manager. It may read the terminal. */
export class VendorTool {
  private readonly program: string;
  private readonly title: string;
  private readonly context: ToolContext;

  /** @param title of the password manager: `1Password` */
  constructor(program: string, title: string, context: ToolContext) {
    this.program = program;
    this.title = title;
    this.context = context;
  }

  /** The variables of the tool's environment. */
  get environment(): Readonly<Record<string, string>> {
    return this.context.environment;
  }

  /** Standard output without blanks at both ends. @throws SecretsCommandError with the exit status and standard error */
  async output(call: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
    const result = await this.call(args, more);
    if (result.status === 0) return result.output;
    throw this.failure(call, result);
  }

  /** As `output`, for a call that signs in: on a terminal, its standard error is shown, which has its questions. */
  async signIn(call: string, args: readonly string[]): Promise<string> {
    const result = await this.call(args, {}, isatty(0) && isatty(2) ? "inherit" : "pipe");
    if (result.status === 0) return result.output;
    throw this.failure(call, result);
  }

  /** As `output`, with the output of a call that failed too. */
  async outputInAnyCase(args: readonly string[]): Promise<string> {
    return (await this.call(args)).output;
  }

  /** @throws SecretsCommandError if the output is no JSON. The error contains no part of it */
  async json(call: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const output = await this.output(call, args, more);
    try {
      return JSON.parse(output) as unknown;
    } catch {
      throw new SecretsCommandError(`${this.program} ${call} printed no JSON`);
    }
  }

  /** Whether the tool ends with exit status 0. Its output is not used. */
  async succeeds(args: readonly string[]): Promise<boolean> {
    return (await this.call(args)).status === 0;
  }

  private failure(call: string, { status, errors }: { status: number | undefined; errors: string }) {
    const how = status === undefined ? "did not finish" : `failed (exit status ${status})`;
    const output = this.context.mask(errors.trim()).replaceAll("\n", "; ");
    return new SecretsCommandError(`${this.program} ${call} ${how}${output === "" ? "" : `: ${output}`}`);
  }

  private async call(
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
    stderr: "pipe" | "inherit" = "pipe",
  ) {
    const { execa } = await import("execa");
    const result = await execa(this.program, args, {
      cwd: this.context.cwd,
      env: { ...this.context.environment, ...more },
      extendEnv: false,
      stdin: isatty(0) ? "inherit" : "ignore",
      stderr,
      maxBuffer: MOST_CHARACTERS,
      reject: false,
    });
    if (result.code === "ENOENT") throw new SecretsCommandError(this.missing());
    return { status: result.exitCode, output: result.stdout.trim(), errors: result.stderr ?? "" };
  }

  private missing(): string {
    return `${this.title} CLI is not installed: there is no ${this.program} on the PATH of this machine`;
  }
}
