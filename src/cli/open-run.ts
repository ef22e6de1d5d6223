import { fstatSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { Writable } from "node:stream";
import type { Command } from "commander";
import { systemClock } from "../clock.ts";
import type { Secret } from "../config/secret.ts";
import type { Run, StandardInput } from "../flow/run.ts";
import type { Host } from "../hosts/host.ts";
import type { Connections } from "../ssh/connections.ts";
import { activity } from "../output/activity.ts";
import { confirm } from "./confirm.ts";
import { interruptible } from "./interrupt.ts";
import { newId, once, readConfiguration, versionOf } from "./configuration.ts";
import { commandWords, type GlobalOptions } from "./options.ts";

/**
 * Opens a run for a command (config, secrets, hosts, report, Ctrl-C), does the work, and closes every connection.
 * What is heavy is loaded here, so that `--help` and `version` load none of it.
 */
export async function openRun(command: Command, work: (run: Run) => Promise<void>): Promise<void> {
  const [given, { Secrets }, { openView }, { linePrefix }, { select }, { gitState }] = await Promise.all([
    readConfiguration(command),
    import("../config/secrets.ts"),
    import("../output/view.ts"),
    import("../output/prefix.ts"),
    import("../hosts/select.ts"),
    import("../flow/git.ts"),
  ]);
  const { options, cwd, processEnvironment, environment, config } = given;
  const secrets = new Secrets(environment);
  const color = wantsColor(processEnvironment, process.stderr.isTTY);
  const view = await openView(process.stderr, verbosity(options), color, processEnvironment);
  const { report, describe } = activity(view.report);
  const held = { lock: false, taking: false };
  const interrupt = interruptible(process, {
    mustFinish: () => held.lock || held.taking,
    describe,
    say: (text) => view.aside(() => void process.stderr.write(text)),
  });
  const { host, local, loadSsh, close } = await openHosts(
    config,
    cwd,
    processEnvironment,
    await environment.forCommands(),
    report,
    () => secrets.resolved,
  );
  watchOutput(interrupt.abort);
  const git = once(() => {
    // What asks for a version goes on to hosts: their library is loaded while git works.
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
    print: (text) => view.aside(() => void process.stdout.write(text)),
    write: (stream, bytes) => view.aside(() => void process[stream].write(bytes)),
    prefix: linePrefix(wantsColor(processEnvironment, process.stdout.isTTY)),
    stdin: standardInput(),
    confirm: (question) =>
      confirm(question, { input: process.stdin, output: process.stderr, signal: interrupt.signal }),
    local,
    host,
    newId,
    version: versionOf(given, git),
    git,
    givenVersion: options.version || undefined,
    performer: async () => performer,
    lockOwner: once(async () => (await git()).userName || performer),
    command: commandWords(command),
    skipHooks: options.skipHooks === true,
    variables: environment,
    cwd,
    held,
  };
  try {
    await work(run);
  } finally {
    interrupt.close();
    await close();
    view.close();
  }
}

/** The hosts of a run over one pool of connections, and this machine. */
async function openHosts(
  config: Run["config"],
  cwd: string,
  environment: Record<string, string>,
  forCommands: Readonly<Record<string, string>>,
  report: Run["report"],
  known: () => readonly Secret[],
) {
  const [{ RemoteHost }, { LocalHost }] = await Promise.all([
    import("../hosts/remote-host.ts"),
    import("../hosts/local-host.ts"),
  ]);
  let opened: Promise<Connections> | undefined;
  // The SSH library is the largest part of the program: commands that meet no host do without.
  const connections = () =>
    (opened ??= import("../ssh/connections.ts").then(
      (ssh) =>
        new ssh.Connections({
          ssh: config.ssh,
          client: { agentSocket: environment["SSH_AUTH_SOCK"], home: homedir() },
          ask: askPassphrase,
          notify: (host, text) => report({ kind: "note", host, text }),
          log: (host, text) => report({ kind: "note", host, text: `ssh: ${text}` }),
        }),
    ));
  const sessions = { session: async (name: string) => (await connections()).session(name) };
  const person = { input: process.stdin, output: process.stdout, type: environment["TERM"] ?? "xterm" };
  const pool = new Map<string, Host>();
  return {
    local: new LocalHost(cwd, forCommands, report, known),
    host: (name: string): Host => {
      const pooled = pool.get(name);
      if (pooled) return pooled;
      const made = new RemoteHost(name, sessions, report, person, known);
      pool.set(name, made);
      return made;
    },
    loadSsh: () => void connections(),
    close: async () => (await opened)?.close(),
  };
}

/** What `whoami` says; in a container the user may have no name. */
function userName(environment: Record<string, string | undefined>): string {
  try {
    return userInfo().username;
  } catch {
    return environment["USER"] || "unknown";
  }
}

function verbosity(options: GlobalOptions): "quiet" | "normal" | "verbose" {
  if (options.quiet) return "quiet";
  return options.verbose ? "verbose" : "normal";
}

/** NO_COLOR and FORCE_COLOR as everywhere, SSHKIT_COLOR as the original; else only on a terminal, and not in CI. */
export function wantsColor(environment: Record<string, string | undefined>, terminal: boolean | undefined): boolean {
  const { NO_COLOR, FORCE_COLOR, SSHKIT_COLOR, CI } = environment;
  if (NO_COLOR || FORCE_COLOR === "0") return false;
  if (FORCE_COLOR || SSHKIT_COLOR) return true;
  return terminal === true && !CI;
}

/**
 * Where nobody reads standard output any more (`mrsk app logs -f | head`), the run is aborted. A closed terminal is no
 * reason to stop half-way: what is said then goes nowhere.
 */
function watchOutput(abort: () => void): void {
  let hungUp = false;
  process.once("SIGHUP", () => (hungUp = true));
  process.stderr.on("error", (error) => {
    if (!hungUp) throw error;
  });
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && !hungUp) throw error;
    abort();
  });
}

function standardInput(): StandardInput {
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

/** Without echo, on a terminal only. */
async function askPassphrase(keyFile: string): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined;
  process.stderr.write(`Passphrase for ${keyFile}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
