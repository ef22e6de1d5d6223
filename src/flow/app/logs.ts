import { type LogQuery, logs } from "../../commands/app.ts";
import { listOneOff } from "../../commands/one-off.ts";
import { sh } from "../../script/command.ts";
import { attempt, script, step } from "../../script/script.ts";
import { SHOWN_LOG_LINES } from "../../config/defaults.ts";
import { ExitCode, InterruptedError, MrskError, UsageError } from "../../errors.ts";
import type { Host } from "../../hosts/host.ts";
import type { OutputChunk, StepResult } from "../../script/result.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { accessoryHosts } from "../../plan/select.ts";
import { lineByLine } from "../../lines.ts";
import type { HostFacts } from "../../plan/facts.ts";
import { canaryOf, liveContainer } from "../../plan/containers.ts";
import { oneAccessory } from "../accessory.ts";
import { observeHosts } from "../observe.ts";
import { appHosts, type Run } from "../run.ts";
import type { Terminal } from "../terminal.ts";
import { TRAEFIK } from "../../shell/constants.ts";

/** Values of `-s`, `-n`, `-g`, `-o`, `-f` and `-T`. */
export interface LogChoice {
  readonly since?: string;
  readonly lines?: number;
  readonly grep?: string;
  readonly grepOptions?: string;
  readonly follow?: boolean;
  readonly skipTimestamps?: boolean;
}

export interface AppLogChoice extends LogChoice {
  /** The beginning of the id, or the name, of a container of the app; undefined: the live containers. */
  readonly containerId?: string;
}

/** A log to show. */
interface Source {
  /** The host's name. */
  readonly name: string;
  readonly host: Host;
  readonly kind: string;
  /** Prefix of its lines if there are several sources. */
  readonly label: string;
  /** Name or id; undefined if the role has no container on the host. */
  readonly container: string | undefined;
}

export async function appLogs(run: Run, terminal: Terminal, { containerId, ...choice }: AppLogChoice): Promise<void> {
  const facts = await observeHosts(run, appHosts(run));
  const sources =
    containerId === undefined ? liveSources(run, facts) : await sourcesOfContainer(run, facts, containerId);
  await showLogs(run, terminal, sources, { ...choice, timestamps: false });
}

/**
 * The containers of the app, and those of `app exec --detach`, with that name or beginning of the id.
 * @throws UsageError if no selected host has one
 */
async function sourcesOfContainer(run: Run, facts: ReadonlyMap<string, HostFacts>, wanted: string): Promise<Source[]> {
  const found = await onHosts(appHosts(run), async (host) => {
    const listed = await host.run(
      script("Containers", [step("List containers of app exec", listOneOff(run.config.service), "list")]),
    );
    const oneOff = listed
      .text("list")
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" "));
    const containers = [...facts.get(host.name)!.containers, ...oneOff.map(([id = "", name = ""]) => ({ id, name }))];
    const fits = containers.filter(({ id, name }) => id.startsWith(wanted) || name === wanted);
    return fits.flatMap(({ id }) => sourcesOn(run, [host.name], "App", id));
  });
  const sources = found.flat();
  if (sources.length > 0) return sources;
  throw new UsageError(`No selected host has a container ${wanted} of the app`, {
    hint: "`mrsk app containers` lists the containers.",
  });
}

function liveSources(run: Run, facts: ReadonlyMap<string, HostFacts>): Source[] {
  return run.selection.app.flatMap(({ host, roles }) =>
    roles.flatMap((role): Source[] => {
      const seen = facts.get(host)!;
      const source = { name: host, host: run.host(host) };
      const several = roles.length > 1;
      const label = several ? `${host} ${role.name}` : host;
      const kindOf = (kind: string) => (several ? `${kind} (${role.name})` : kind);
      const canary = canaryOf(run.config, role, seen)?.container.id;
      return [
        { ...source, kind: kindOf("App"), label, container: liveContainer(run.config, role, seen)?.id },
        ...(canary === undefined
          ? []
          : [{ ...source, kind: kindOf("Canary"), label: `${label} canary`, container: canary }]),
      ];
    }),
  );
}

export async function accessoryLogs(run: Run, terminal: Terminal, name: string, choice: LogChoice): Promise<void> {
  const accessory = oneAccessory(run, name);
  const hosts = accessoryHosts(accessory, run.filters);
  const sources = sourcesOn(run, hosts, `Accessory ${name}`, accessory.service);
  await showLogs(run, terminal, sources, { ...choice, timestamps: true });
}

export async function traefikLogs(run: Run, terminal: Terminal, choice: LogChoice): Promise<void> {
  const sources = sourcesOn(run, run.selection.traefik, "Traefik", TRAEFIK);
  await showLogs(run, terminal, sources, { ...choice, timestamps: true });
}

function sourcesOn(run: Run, hosts: readonly string[], kind: string, container: string): Source[] {
  return hosts.map((name) => ({ name, host: run.host(name), kind, label: name, container }));
}

async function showLogs(
  run: Run,
  terminal: Terminal,
  sources: readonly Source[],
  { timestamps: byDefault, ...choice }: LogChoice & { readonly timestamps: boolean },
): Promise<void> {
  if (choice.follow) return follow(run, terminal, sources, choice);
  const timestamps = byDefault && choice.skipTimestamps !== true;
  const anyChoice = choice.since !== undefined || choice.lines !== undefined || choice.grep !== undefined;
  const query: LogQuery = { ...choice, timestamps, lines: choice.lines ?? (anyChoice ? undefined : SHOWN_LOG_LINES) };
  await onHosts(sources, async ({ host, kind, container }) => {
    const body = container === undefined ? sh`:` : logs(container, query);
    const result = await host.run(script("Logs", [attempt("Logs", body)]), { signal: run.signal });
    const [log] = result.steps;
    throwOnBadQuery(host.name, log!);
    const found = log!.status === 0 ? log!.stdout.trim() : "";
    terminal.write("stdout", `${kind} Host: ${host.name}\n${found || "Nothing found"}\n\n`);
  });
}

/** @throws UsageError with the error of docker or grep; a missing container or an empty result is no error */
function throwOnBadQuery(host: string, { status, stdout, stderr }: StepResult): void {
  const output = (stderr.trim() || stdout.trim()).split("\n").slice(0, 3).join("\n");
  if (status === undefined || status === 0 || output === "" || /no such container/i.test(output)) return;
  throw new UsageError(`${host}: the log cannot be shown: ${output}`);
}

/** Shows new lines of all sources until Ctrl-C, which is no error here. */
async function follow(
  run: Run,
  { write, prefix }: Terminal,
  sources: readonly Source[],
  choice: LogChoice,
): Promise<void> {
  const present = sources.filter(({ container }) => container !== undefined);
  for (const { name, label } of sources.filter((source) => !present.includes(source)))
    run.report({ kind: "warning", host: name, text: `Nothing found: no container runs (${label})` });
  if (present.length === 0) throw new UsageError("There is no log to follow", { hint: "Run `mrsk deploy`." });
  run.report({ kind: "note", text: `Following logs on ${present.map(({ label }) => label).join(", ")}...` });
  const query: LogQuery = {
    ...choice,
    follow: true,
    timestamps: choice.skipTimestamps !== true,
    lines: choice.lines ?? (choice.since ? undefined : 10),
  };
  const start = ({ label }: Source) => (sources.length === 1 ? "" : prefix(label));
  try {
    await onHosts(present, async (source) => {
      const { host, label, container } = source;
      const lines = lineByLine((line) => write("stdout", `${start(source)}${line}\n`));
      // Standard error holds messages of grep and the shell, not the log. After Ctrl-C they are of no use.
      const show = ({ stream, text }: OutputChunk) => {
        if (stream === "stdout") lines.add(text);
        else if (!run.signal.aborted) write("stderr", text);
      };
      const options = { signal: run.signal, streamed: "endless", onOutput: show } as const;
      const work = script("Follow", [attempt("Follow", logs(container!, query), "follow")]);
      const status = (await host.run(work, options).finally(() => lines.end())).status("follow") ?? 1;
      // grep exits with 1 if no line matches, which is no failure here.
      if (status > (choice.grep === undefined ? 0 : 1))
        throw new MrskError(ExitCode.remote, `${host.name}: the log cannot be followed (exit status ${status})`);
      run.report({ kind: "note", host: host.name, text: `The log ended: the container stopped (${label})` });
    });
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  }
}
