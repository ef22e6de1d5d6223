import { PassThrough, type Readable } from "node:stream";
import type { Attached } from "../../script/attached.ts";
import { sh } from "../../script/command.ts";
import type { Streams } from "../../commands/one-off.ts";
import { counted, script, type Step, step } from "../../script/script.ts";
import {
  CommandFailedError,
  ExitCode,
  HostsFailedError,
  InterruptedError,
  MrskError,
  UsageError,
} from "../../errors.ts";
import type { Host } from "../../hosts/host.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { lineByLine } from "../../lines.ts";
import type { Run } from "../run.ts";
import type { Terminal } from "../terminal.ts";

/** A container or host in which the user's command runs. */
export interface Target {
  /** The host's name. */
  readonly name: string;
  readonly host: Host;
  /** Prefix of its lines if there are several targets: `HOST`, or `HOST ROLE`. */
  readonly label: string;
  /** Steps before the command. */
  readonly before: readonly Step[];
  /** Steps after the command: the audit line with its outcome. */
  readonly after: readonly Step[];
  readonly command: (streams: Streams) => Attached;
}

export interface CommandChoice {
  /** Joins the user's terminal, or a pipe without one. Runs on the first target only. */
  readonly interactive: boolean;
  /** Prints nothing but the command's output. */
  readonly raw: boolean;
  /** The command gets no input, and ends when it has started. */
  readonly detach?: boolean;
}

/** Receives a target's output; `end` completes its last line. */
interface Output {
  readonly add: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
  readonly end: () => void;
}

interface CommandOnTargets {
  /** For the header of each block of output: `App`. */
  readonly kind: string;
  readonly targets: readonly Target[];
  readonly choice: CommandChoice;
}

const STEP = "command";

/**
 * Runs the user's command on all targets concurrently, and prints its output as it comes. Each of them gets a copy of
 * mrsk's piped input.
 * @throws MrskError with the exit status of the first target whose command failed
 */
export async function runCommand(
  run: Run,
  terminal: Terminal,
  { kind, targets, choice: { interactive, raw, detach = false } }: CommandOnTargets,
): Promise<void> {
  const first = targets[0];
  if (!first) throw new UsageError("No host is selected");
  if (raw && targets.length > 1) {
    throw new UsageError(`--raw is for one container, but ${targets.length} are selected`, {
      hint: `Choose with -h and -r: ${targets.map(({ label }) => label).join(", ")}.`,
    });
  }
  const chosen = interactive ? [first] : targets;
  try {
    const output = { run, terminal, kind, targets: chosen };
    if (interactive && terminal.stdin.kind === "terminal") await inTerminal(run, first);
    else if (interactive || (terminal.stdin.kind === "piped" && !detach))
      await piped(run, terminal, chosen, outputs(output, raw || interactive));
    else await scripted(run, chosen, outputs(output, raw));
  } catch (error) {
    throw withCommandStatus(error);
  }
}

async function inTerminal(run: Run, target: Target): Promise<void> {
  if (target.before.length > 0) await prepare(run, target);
  throwOnFailure(target, await target.host.attach(target.command("terminal"), "terminal", run.signal));
}

/** The command gets no input: the script's standard input carries the heartbeat of the connection. */
async function scripted(run: Run, targets: readonly Target[], outputOf: (target: Target) => Output): Promise<void> {
  await onHosts(targets, async (target) => {
    const { body, cleanup } = target.command("output");
    const output = outputOf(target);
    await target.host
      .run(script("Run a command", [...target.before, step("Command", body, STEP), ...target.after], cleanup), {
        signal: run.signal,
        streamed: "to its end",
        onOutput: ({ stepId, stream, bytes }) => void (stepId === STEP && output.add(stream, bytes)),
      })
      .finally(() => output.end());
  });
}

async function piped(
  run: Run,
  { stdin }: Terminal,
  targets: readonly Target[],
  outputOf: (target: Target) => Output,
): Promise<void> {
  // Connect to every host before the first byte of the input is read.
  await onHosts(targets, (target) => prepare(run, target));
  const source = stdin.kind === "nothing" ? undefined : stdin.open();
  const inputs = new Map(targets.map((target) => [target, inputFrom(source)]));
  try {
    await onHosts(targets, async (target) => {
      const output = outputOf(target);
      const input = inputs.get(target)!;
      const pipes = { input, onOutput: output.add };
      const work = target.host.attach(target.command("input"), pipes, run.signal).finally(() => {
        output.end();
        // A command that ends early must not hold up the others.
        input.destroy();
      });
      throwOnFailure(target, await finished(target, work));
    });
  } finally {
    source?.destroy();
  }
}

/** A copy of the source. The slowest target sets the pace. */
function inputFrom(source: Readable | undefined): PassThrough {
  const input = new PassThrough();
  input.on("error", () => {});
  if (source) source.pipe(input);
  else input.end();
  return input;
}

/** Runs a target's last steps after a command that was attached, not scripted. @returns the command's exit status */
async function finished({ host, after }: Target, work: Promise<number>): Promise<number> {
  const runAfter = async (status: number) => {
    if (after.length === 0) return;
    const outcome = counted("Exit status of the command", sh`exit ${status}`);
    await host.run(script("Record the command", [outcome, ...after])).catch(() => {});
  };
  try {
    const status = await work;
    await runAfter(status);
    return status;
  } catch (error) {
    await runAfter(ExitCode.interrupted);
    throw error;
  }
}

async function prepare(run: Run, { host, before }: Target): Promise<void> {
  // Also without steps: the host must be reachable.
  await host.run(script("Prepare", before), { signal: run.signal });
}

function throwOnFailure({ name }: Target, status: number): void {
  if (status !== 0) throw new CommandFailedError({ host: name, step: "Command", stepId: STEP, status, output: "" });
}

interface OutputOptions extends Omit<CommandOnTargets, "choice"> {
  readonly run: Run;
  readonly terminal: Terminal;
}

/** One target's output is a block as in MRSK; of several targets, each line begins with the target. */
function outputs({ run, terminal, kind, targets }: OutputOptions, raw: boolean): (target: Target) => Output {
  if (raw) return () => ({ add: terminal.write, end: () => {} });
  if (targets.length > 1) return (target) => prefixed(terminal, target.label);
  return ({ name }) => {
    run.print(`${kind} Host: ${name}\n`);
    let last: number | undefined;
    return {
      add(stream, bytes) {
        terminal.write(stream, bytes);
        if (stream === "stdout") last = bytes.at(-1) ?? last;
      },
      end: () => run.print(last === undefined || last === 10 ? "\n" : "\n\n"),
    };
  };
}

function prefixed({ write, prefix }: Terminal, label: string): Output {
  const lines = (stream: "stdout" | "stderr") => {
    const decoder = new TextDecoder();
    const complete = lineByLine((line) => write(stream, `${prefix(label)}${line}\n`));
    return {
      add: (bytes: Uint8Array) => complete.add(decoder.decode(bytes, { stream: true })),
      end: () => complete.end(),
    };
  };
  const streams = { stdout: lines("stdout"), stderr: lines("stderr") };
  return {
    add: (stream, bytes) => streams[stream].add(bytes),
    end() {
      streams.stdout.end();
      streams.stderr.end();
    },
  };
}

/** Gives the error the exit status of the user's command. */
function withCommandStatus(error: unknown): unknown {
  if (error instanceof CommandFailedError && error.stepId === STEP)
    return failed([{ host: error.host, reason: error }]);
  if (!(error instanceof HostsFailedError)) return error;
  const commandFailed = error.failures.some(
    ({ reason }) => reason instanceof CommandFailedError && reason.stepId === STEP,
  );
  return commandFailed ? failed(error.failures) : error;
}

function failed(failures: HostsFailedError["failures"]): MrskError {
  const texts = failures.map(({ host, reason }) => {
    if (reason instanceof CommandFailedError && reason.stepId === STEP)
      return `${host}: the command ended with exit status ${reason.status}`;
    return reason instanceof InterruptedError ? `${host}: interrupted` : (reason as Error).message;
  });
  const first = failures
    .map(({ reason }) => reason)
    .find((reason) => reason instanceof CommandFailedError && reason.stepId === STEP);
  return new MrskError((first as CommandFailedError).status, texts.join("\n"), { cause: first });
}
