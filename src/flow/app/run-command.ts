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

/** A place where the user's command runs. */
export interface Target {
  /** The host's. */
  readonly name: string;
  readonly host: Host;
  /** What its lines begin with where there are several: `HOST`, or `HOST ROLE`. */
  readonly label: string;
  /** What comes before the command. */
  readonly before: readonly Step[];
  /** What comes after it, with what became of it: the audit line. */
  readonly after: readonly Step[];
  readonly command: (streams: Streams) => Attached;
}

export interface CommandChoice {
  /** With the user's terminal, on the first target alone; with a pipe where there is no terminal. */
  readonly interactive: boolean;
  /** Nothing but what the command prints. */
  readonly raw: boolean;
}

/** Where a target's output goes; `end` writes what its last line lacks. */
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
 * Runs the user's command on every target at once and shows what it prints as it comes. What is piped into mrsk is piped
 * into each of them.
 * @throws MrskError with the exit status of the first target whose command failed
 */
export async function runCommand(
  run: Run,
  terminal: Terminal,
  { kind, targets, choice: { interactive, raw } }: CommandOnTargets,
): Promise<void> {
  const first = targets[0];
  if (!first) throw new UsageError("No host is selected");
  if (raw && targets.length > 1) {
    throw new UsageError(`--raw is for one container, and ${targets.length} are selected`, {
      hint: `Choose with -h and -r: ${targets.map(({ label }) => label).join(", ")}.`,
    });
  }
  const chosen = interactive ? [first] : targets;
  try {
    const output = { run, terminal, kind, targets: chosen };
    if (interactive && terminal.stdin.kind === "terminal") await inTerminal(run, first);
    else if (interactive || terminal.stdin.kind === "piped")
      await piped(run, terminal, chosen, outputs(output, raw || interactive));
    else await scripted(run, chosen, outputs(output, raw));
  } catch (error) {
    throw withOwnStatus(error);
  }
}

async function inTerminal(run: Run, target: Target): Promise<void> {
  if (target.before.length > 0) await prepare(run, target);
  ended(target, await target.host.attach(target.command("terminal"), "terminal", run.signal));
}

/** The script's own input says whether the connection is there, so the command has none. */
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
  // Every host is reached before a byte of the input is used up.
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
      ended(target, await noted(target, work));
    });
  } finally {
    source?.destroy();
  }
}

/** The source goes no faster than the slowest of those it is piped into. */
function inputFrom(source: Readable | undefined): PassThrough {
  const input = new PassThrough();
  input.on("error", () => {});
  if (source) source.pipe(input);
  else input.end();
  return input;
}

/** What comes after a command that had the host's end of the connection to itself. @returns its exit status */
async function noted({ host, after }: Target, work: Promise<number>): Promise<number> {
  const note = async (status: number) => {
    if (after.length === 0) return;
    const ending = counted("See how the command ended", sh`exit ${status}`);
    await host.run(script("Note the command", [ending, ...after])).catch(() => {});
  };
  try {
    const status = await work;
    await note(status);
    return status;
  } catch (error) {
    await note(ExitCode.interrupted);
    throw error;
  }
}

async function prepare(run: Run, { host, before }: Target): Promise<void> {
  // Also where there is nothing to prepare, the host is to be reached.
  await host.run(script("Prepare", before), { signal: run.signal });
}

function ended({ name }: Target, status: number): void {
  if (status !== 0) throw new CommandFailedError({ host: name, step: "Command", stepId: STEP, status, output: "" });
}

interface OutputOptions extends Omit<CommandOnTargets, "choice"> {
  readonly run: Run;
  readonly terminal: Terminal;
}

/** On one target in a block of the original's, on several with the target in front of each line. */
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
    const whole = lineByLine((line) => write(stream, `${prefix(label)}${line}\n`));
    return { add: (bytes: Uint8Array) => whole.add(decoder.decode(bytes, { stream: true })), end: () => whole.end() };
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

/** The command's own exit status becomes ours. */
function withOwnStatus(error: unknown): unknown {
  if (error instanceof CommandFailedError && error.stepId === STEP)
    return failed([{ host: error.host, reason: error }]);
  if (!(error instanceof HostsFailedError)) return error;
  const own = error.failures.some(({ reason }) => reason instanceof CommandFailedError && reason.stepId === STEP);
  return own ? failed(error.failures) : error;
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
