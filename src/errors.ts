import { fileProblem } from "./file-problem.ts";

/** Process exit codes. They are part of the public interface: CI scripts depend on them. */
export const ExitCode = {
  bug: 1,
  usage: 2,
  config: 3,
  locked: 4,
  remote: 5,
  unhealthy: 6,
  hook: 7,
  release: 9,
  interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface MrskErrorOptions {
  /** What to type or to change, in one sentence. */
  readonly hint?: string | undefined;
  /** The low-level error, printed with `-v`. */
  readonly cause?: unknown;
}

/** An expected failure. Any other error that reaches `main` is a bug, and its stack is printed. */
export class MrskError extends Error {
  hint: string | undefined;
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options: MrskErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.exitCode = exitCode;
    this.hint = options.hint;
  }
}

/** The command line cannot be carried out as typed. */
export class UsageError extends MrskError {
  constructor(message: string, options: MrskErrorOptions = {}) {
    super(ExitCode.usage, message, options);
  }
}

/** All mistakes in the user's files, one line each (`file:line:column: …`). */
export class ConfigError extends MrskError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options: MrskErrorOptions = {}) {
    super(ExitCode.config, problems.join("\n"), options);
    this.problems = problems;
  }
}

/** A file or folder of this machine cannot be used. */
class FileError extends MrskError {
  constructor(message: string, cause: unknown) {
    super(ExitCode.config, message, { cause });
  }
}

/** A failed file-system call as an error with a readable message; any other error unchanged. */
export function asFileError(error: unknown, path?: string): unknown {
  const problem = fileProblem(error, path);
  return problem === undefined ? error : new FileError(problem, error);
}

/** A connection could not be opened, or was lost. `host` is as the config names it. */
export class SshError extends MrskError {
  constructor(host: string, message: string, options: MrskErrorOptions = {}) {
    super(ExitCode.remote, `${host}: ${message}`, options);
  }
}

/** A command that ran and failed. `output` is what it printed, standard error last. */
export class CommandFailedError extends MrskError {
  readonly host: string;
  readonly step: string;
  /** The id of the step, for callers that handle its failure. */
  readonly stepId: string;
  /** The exit status of the command. */
  readonly status: number;
  readonly output: string;

  constructor(
    what: {
      host: string;
      step: string;
      stepId?: string;
      status: number;
      output: string;
    },
    options: MrskErrorOptions & { exitCode?: number } = {},
  ) {
    const output = what.output.trim();
    super(
      options.exitCode ?? ExitCode.remote,
      `${what.host}: ${what.step} failed (exit status ${what.status})${output ? `\n${output}` : ""}`,
      options,
    );
    this.host = what.host;
    this.step = what.step;
    this.stepId = what.stepId ?? what.step;
    this.status = what.status;
    this.output = what.output;
  }
}

/** Several hosts failed in one phase. The message contains every error. */
export class HostsFailedError extends MrskError {
  readonly failures: readonly { readonly host: string; readonly reason: unknown }[];

  constructor(failed: readonly { readonly host: string; readonly reason: unknown }[]) {
    const failures = failed.map(({ host, reason }) => ({ host, reason: asFileError(reason) }));
    const first = failures[0]?.reason;
    const known = first instanceof MrskError ? first : undefined;
    // A mistake in the configuration belongs to no host.
    const common = failures.every(({ reason }) => reason === first && reason instanceof ConfigError);
    const text = common && known ? [known.message] : failures.map(({ host, reason }) => describe(host, reason));
    super(
      known?.exitCode ?? ExitCode.bug,
      text.length === 1 ? text[0]! : `${failures.length} hosts failed:\n${text.join("\n")}`,
      {
        hint: known?.hint,
        cause: first,
      },
    );
    this.failures = failures;
  }
}

function describe(host: string, reason: unknown): string {
  const message =
    reason instanceof MrskError
      ? reason.message
      : reason instanceof Error
        ? (reason.stack ?? reason.message)
        : String(reason);
  return message.startsWith(`${host}: `) ? message : `${host}: ${message}`;
}

/** Another deploy holds the lock. `details` is what that deploy wrote: user, time and version. */
export class LockHeldError extends MrskError {
  readonly details: string;

  constructor(host: string, details: string) {
    super(ExitCode.locked, `Deploy lock found on ${host}\n${details.trim()}`, {
      hint: "Wait until that deploy has finished. If it no longer runs, run `mrsk lock release`.",
    });
    this.details = details.trim();
  }
}

/** A new container did not become healthy in time. */
export class UnhealthyError extends MrskError {
  constructor(message: string, options: MrskErrorOptions = {}) {
    super(ExitCode.unhealthy, message, options);
  }
}

export class HookFailedError extends MrskError {
  constructor(hook: string, output: string, { hint = "Run with -H to skip hooks." }: { hint?: string } = {}) {
    const text = output.trim();
    super(ExitCode.hook, `Hook \`${hook}\` failed${text ? `\n${text}` : ""}`, { hint });
  }
}

/** The release command of the new version failed, or took too long: nothing was changed. */
export class ReleaseFailedError extends MrskError {
  constructor(message: string, options: MrskErrorOptions = {}) {
    super(ExitCode.release, message, options);
  }
}

export class InterruptedError extends MrskError {
  constructor() {
    super(ExitCode.interrupted, "Interrupted");
  }
}
