import type { Clock } from "../clock.ts";
import type { Config } from "../config/config.ts";
import type { Secrets } from "../config/env/secrets.ts";
import type { KamalSecrets } from "../config/kamal-secrets/kamal-secrets.ts";
import type { Variables } from "../config/env/variables.ts";
import { InterruptedError, UsageError } from "../errors.ts";
import type { Host, ScriptHost } from "../hosts/host.ts";
import { type Filters, type Selection, select } from "../plan/select.ts";
import type { Report } from "../events.ts";
import type { GitState } from "./build/git.ts";

export interface LockWait {
  readonly timeoutSeconds: number;
  /** Between two attempts. */
  readonly intervalSeconds: number;
}

/** One command while it runs: its configuration, its hosts, its output. `cli/open-run.ts` makes it, a fake in tests. */
export interface Run {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly filters: Filters;
  readonly selection: Selection;
  readonly clock: Clock;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly report: Report;
  /** Standard output: the result of the command, with control characters escaped. */
  readonly print: (text: string) => void;
  /** A yes/no question. @throws UsageError where the input ends without an answer */
  readonly confirm: (question: string) => Promise<boolean>;
  readonly local: ScriptHost;
  host(name: string): Host;
  /** Random hex digits. */
  readonly newId: (digits: number) => string;
  /**
   * The version that the command line, the environment's VERSION or git names; the same for the whole run. What a command
   * acts on may differ (a short id, a rollback), and is a parameter.
   * @throws UsageError without any
   */
  readonly requestedVersion: () => Promise<string>;
  /** The state of the git repository of the working directory; the same for the whole run. */
  readonly git: () => Promise<GitState>;
  /** As typed: `--version`, or undefined. */
  readonly givenVersion: string | undefined;
  /** The user's name on this machine, for audit and hooks. */
  readonly performer: () => Promise<string>;
  /** Command words: `["app", "boot"]`. */
  readonly command: readonly string[];
  readonly skipHooks: boolean;
  /** How to wait for a held deploy lock; undefined: a held lock is an error. */
  readonly lockWait?: LockWait | undefined;
  /** The user's environment and `.env`, for templates. */
  readonly variables: Variables;
  /** The secrets files of a Kamal 2 project. */
  readonly kamalSecrets?: Pick<KamalSecrets, "evaluateAll"> | undefined;
  readonly cwd: string;
  /** Takes known secrets out of what is written where others may read it. */
  readonly mask: (text: string) => string;
  /** What the run holds now. The only mutable part. */
  readonly held: {
    lock: boolean;
    /** The id of the lock, for commands that a hook runs. */
    lockId?: string;
    /** The lock is being taken: whether it is held is not known yet. */
    taking?: boolean;
    connected?: boolean;
  };
}

/** Announces a part of the work, unless the run was interrupted. @throws InterruptedError */
export function begin(run: Run, title: string): void {
  stopIfInterrupted(run);
  run.report({ kind: "title", text: title });
}

/** @throws InterruptedError */
export function stopIfInterrupted(run: Run): void {
  if (run.signal.aborted) throw new InterruptedError();
}

/** Reports the whole time of `work`, also when it fails. */
export async function timed<T>(run: Run, work: () => Promise<T>): Promise<T> {
  const started = run.clock.now().getTime();
  try {
    return await work();
  } finally {
    run.report({ kind: "finished", what: "Finished all", seconds: (run.clock.now().getTime() - started) / 1000 });
  }
}

/** The hosts of the selection that run the app. @throws UsageError when `--hosts` names accessory hosts alone */
export function appHosts(run: Run): readonly Host[] {
  if (run.selection.app.length === 0)
    throw nothingSelected(
      "the app",
      run.config.roles.flatMap(({ hosts }) => hosts),
    );
  return run.selection.app.map(({ host }) => run.host(host));
}

/** The hosts of the selection that run Traefik. @throws UsageError when there is none */
export function traefikHosts(run: Run): readonly Host[] {
  if (run.selection.traefik.length === 0) {
    const { accessories, roles } = run.config;
    const routed = [...roles.filter(({ traefik }) => traefik), ...accessories.filter(({ proxy }) => proxy)];
    throw nothingSelected(
      "Traefik",
      routed.flatMap(({ hosts }) => hosts),
    );
  }
  return run.selection.traefik.map((host) => run.host(host));
}

/** A command that would act on no host is an error, not a success. */
export function nothingSelected(what: string, hosts: readonly string[]): UsageError {
  const there = [...new Set(hosts)].join(", ");
  return new UsageError(`No selected host runs ${what}`, {
    hint: there === "" ? "None is configured to." : `These do: ${there}.`,
  });
}

/** The run on some of its hosts. */
export function runOn(run: Run, hosts: readonly string[]): Run {
  return { ...run, selection: select(run.config, { hosts, roles: run.filters.roles, primary: false }) };
}

/** Prints the output of a host in a block as MRSK does: a header, the output, an empty line. */
export function printBlock(run: Run, kind: string, host: string, output: string): void {
  run.print(`${kind} Host: ${host}\n${output.trim()}\n\n`);
}
