import { fstatSync } from "node:fs";
import { userInfo } from "node:os";
import type { Command } from "commander";
import { systemClock } from "../clock.ts";
import { LOCK_WAIT } from "../config/defaults.ts";
import type { LockWait, Run } from "../flow/run.ts";
import type { Terminal } from "../flow/terminal.ts";
import type { Host } from "../hosts/host.ts";
import type { KnownSecrets } from "../script/known-secrets.ts";
import type { Connections } from "../ssh/connections.ts";

import { activity } from "../output/activity.ts";
import { wantsColor } from "../output/color.ts";
import { masked, withoutSecrets } from "../output/masked.ts";
import { printable } from "../output/printable.ts";
import { confirm } from "./confirm.ts";
import { writableByAll } from "./file-modes.ts";
import { interruptible } from "./interrupt.ts";
import { newId, once, readConfiguration, versionOf } from "./configuration.ts";
import { commandWords, type GlobalOptions } from "./options.ts";
import { watchOutputs } from "./standard-streams.ts";

/**
 * Opens a run for a command (config, secrets, hosts, report, Ctrl-C), does the work, and closes every connection. Loads
 * the large modules, which `--help` and `version` do not need.
 */
export async function openRun(command: Command, work: (run: Run, terminal: Terminal) => Promise<void>): Promise<void> {
  const [
    given,
    { Secrets },
    { initialSecrets, isPublic },
    { KnownSecrets: Known },
    { openView },
    { linePrefix },
    { select },
    { gitState },
  ] = await Promise.all([
    readConfiguration(command),
    import("../config/env/secrets.ts"),
    import("../config/env/named-secrets.ts"),
    import("../script/known-secrets.ts"),
    import("../output/view.ts"),
    import("../output/prefix.ts"),
    import("../plan/select.ts"),
    import("../flow/build/git.ts"),
  ]);
  const { options, cwd, processEnvironment, environment, kamalSecrets, config } = given;
  const secrets = new Secrets(kamalSecrets ?? environment);
  const initial = await initialSecrets(config, environment);
  const resolved = () => [...secrets.resolved, ...(kamalSecrets?.resolved ?? [])];
  const known = new Known(() => [...initial, ...resolved().filter((secret) => !isPublic(config, secret))]);
  const color = wantsColor(processEnvironment, process.stderr.isTTY);
  const view = await openView(process.stderr, verbosity(options), color, processEnvironment);
  const { report, describe } = activity(masked(view.report, known));
  for (const text of writableByAll(cwd)) report({ kind: "warning", text });
  for (const text of given.notes) report({ kind: "note", text });
  const held = { lock: false, taking: false };
  const interrupt = interruptible(process, {
    mustFinish: () => held.lock || held.taking,
    describe,
    remaining: () => remaining(config.primaryHost, held, describe()),
    print: (text) => view.withoutLiveLines(() => void process.stderr.write(printable(text))),
  });
  const { host, local, loadSsh, close } = await openHosts(
    async () => {
      // Kamal 2 runs this hook before the first connection of any command, MRSK only if the command takes the lock.
      if (kamalSecrets) await (await import("../flow/lock.ts")).runPreConnect(run);
      return (await import("./open-connections.ts")).openConnections(given, secrets, report);
    },
    cwd,
    processEnvironment,
    await environment.forCommands(),
    report,
    known,
  );
  // Handled like SIGHUP: the run stops safely, and its output is lost.
  const unwatch = watchOutputs(process, interrupt.abort);
  const git = once(() => {
    // A command that needs a version connects to hosts next: the SSH library is loaded while git runs.
    setImmediate(loadSsh);
    return gitState(local);
  });
  const performer = userName(processEnvironment);
  const filters = { hosts: options.hosts, roles: options.roles, primary: options.primary === true };
  const run: Run = {
    config,
    secrets,
    filters,
    selection: select(config, filters),
    clock: systemClock,
    signal: interrupt.signal,
    report,
    print: (text) => view.withoutLiveLines(() => void process.stdout.write(printable(text))),
    confirm: (question) =>
      confirm(printable(question), { input: process.stdin, output: process.stderr, signal: interrupt.signal }),
    local,
    host,
    newId,
    requestedVersion: versionOf(given, git),
    git,
    givenVersion: options.version || undefined,
    performer: async () => performer,
    command: commandWords(command),
    skipHooks: options.skipHooks === true,
    lockWait: lockWait(options),
    variables: environment,
    kamalSecrets,
    cwd,
    held,
    mask: (text) => known.text(text),
  };
  const terminal: Terminal = {
    stdin: standardInput(),
    write: (stream, bytes) => view.withoutLiveLines(() => void process[stream].write(bytes)),
    prefix: linePrefix(wantsColor(processEnvironment, process.stdout.isTTY)),
  };
  try {
    await work(run, terminal);
  } catch (error) {
    throw withoutSecrets(error, known);
  } finally {
    interrupt.close();
    await close();
    view.close();
    unwatch();
  }
}

function remaining(host: string, held: Run["held"], work: string): string {
  const lock = held.lock ? `the deploy lock on ${host}` : `the deploy lock on ${host}, if it was taken`;
  return `Left on the servers: ${lock}; and the work in progress:
${work}
Run \`mrsk lock status\`; if the lock is this run's, \`mrsk lock release\`; then the same command again.`;
}

/** The hosts of a run, over one pool of connections, and this machine. */
async function openHosts(
  openPool: () => Promise<Connections>,
  cwd: string,
  environment: Readonly<Record<string, string>>,
  forCommands: Readonly<Record<string, string>>,
  report: Run["report"],
  known: KnownSecrets,
) {
  const [{ RemoteHost }, { LocalHost }] = await Promise.all([
    import("../hosts/remote-host.ts"),
    import("../hosts/local-host.ts"),
  ]);
  let opened: Promise<Connections> | undefined;
  // The SSH library is the largest part of the program: it is not loaded by commands that connect to no host.
  const connections = () => (opened ??= openPool());
  const sessions = { session: async (name: string) => (await connections()).session(name) };
  const terminal = { input: process.stdin, output: process.stdout, type: environment["TERM"] ?? "xterm" };
  const pool = new Map<string, Host>();
  return {
    local: new LocalHost(cwd, forCommands, report, known),
    host: (name: string): Host => {
      const pooled = pool.get(name);
      if (pooled) return pooled;
      const made = new RemoteHost(name, sessions, report, terminal, known);
      pool.set(name, made);
      return made;
    },
    loadSsh: () => void import("../ssh/connections.ts"),
    close: async () => (await opened?.catch(() => undefined))?.close(),
  };
}

/** The name of the local user; in a container a uid may have no name. */
function userName(environment: Record<string, string | undefined>): string {
  try {
    return userInfo().username;
  } catch {
    return environment["USER"] || "unknown";
  }
}

function lockWait({ lockWait: wanted, lockWaitTimeout, lockWaitInterval }: GlobalOptions): LockWait | undefined {
  if (wanted !== true) return undefined;
  return {
    timeoutSeconds: lockWaitTimeout ?? LOCK_WAIT.timeoutSeconds,
    intervalSeconds: lockWaitInterval ?? LOCK_WAIT.intervalSeconds,
  };
}

function verbosity(options: GlobalOptions): "quiet" | "normal" | "verbose" {
  if (options.quiet) return "quiet";
  return options.verbose ? "verbose" : "normal";
}

function standardInput(): Terminal["stdin"] {
  return { kind: process.stdin.isTTY ? "terminal" : inputKind(), open: () => process.stdin };
}

function inputKind(): "piped" | "nothing" {
  try {
    const input = fstatSync(0);
    return input.isFIFO() || input.isFile() || input.isSocket() ? "piped" : "nothing";
  } catch {
    return "nothing";
  }
}
