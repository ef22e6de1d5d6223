import { type LogQuery, logs } from "../commands/app.ts";
import { sh } from "../commands/command.ts";
import { attempt, script, step } from "../commands/script.ts";
import { TRAEFIK } from "../commands/traefik.ts";
import { InterruptedError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { accessoryHosts } from "../hosts/select.ts";
import { lineByLine } from "../lines.ts";
import { canaryOf, liveContainer } from "../plan/deploy.ts";
import { oneAccessory } from "./accessory.ts";
import { observeHosts } from "./observe.ts";
import { appHosts, printBlock, type Run } from "./run.ts";

/** What `-s -n -g -o -f` said. */
export interface LogChoice {
  readonly since?: string;
  readonly lines?: number;
  readonly grep?: string;
  readonly grepOptions?: string;
  readonly follow?: boolean;
}

/** A log to show: of which container, under which header. */
interface Source {
  readonly name: string;
  readonly host: Host;
  readonly kind: string;
  /** undefined: there is none. */
  readonly container: string | undefined;
}

export async function appLogs(run: Run, choice: LogChoice): Promise<void> {
  const facts = await observeHosts(run, appHosts(run));
  const sources = run.selection.app.flatMap(({ host, roles }) =>
    roles.flatMap((role) => {
      const seen = facts.get(host)!;
      const source = { name: host, host: run.host(host) };
      const canary = canaryOf(run.config, role, seen)?.container.id;
      return [
        { ...source, kind: "App", container: liveContainer(run.config, role, seen)?.id },
        ...(canary === undefined ? [] : [{ ...source, kind: "Canary", container: canary }]),
      ];
    }),
  );
  await showLogs(run, sources, choice, false);
}

export async function accessoryLogs(run: Run, name: string, choice: LogChoice): Promise<void> {
  const accessory = oneAccessory(run, name);
  const sources = accessoryHosts(accessory, run.filters).map((host) => ({
    name: host,
    host: run.host(host),
    kind: `Accessory ${name}`,
    container: accessory.service,
  }));
  await showLogs(run, sources, choice, true);
}

export async function traefikLogs(run: Run, choice: LogChoice): Promise<void> {
  const sources = run.selection.traefik.map((host) => ({
    name: host,
    host: run.host(host),
    kind: "Traefik",
    container: TRAEFIK,
  }));
  await showLogs(run, sources, choice, true);
}

async function showLogs(run: Run, sources: readonly Source[], choice: LogChoice, timestamps: boolean): Promise<void> {
  if (choice.follow) return follow(run, sources, choice);
  const anyChoice = choice.since !== undefined || choice.lines !== undefined || choice.grep !== undefined;
  const query: LogQuery = { ...choice, timestamps, lines: choice.lines ?? (anyChoice ? undefined : 100) };
  await onHosts(sources, async ({ host, kind, container }) => {
    const body = container === undefined ? sh`:` : logs(container, query);
    const result = await host.run(script("Logs", [attempt("Logs", body)]), { signal: run.signal });
    const found = result.status("Logs") === 0 ? result.text("Logs") : "";
    printBlock(run, kind, host.name, found || "Nothing found");
  });
}

/** New lines from all hosts at once, until Ctrl-C: an end that was asked for is no error. */
async function follow(run: Run, sources: readonly Source[], choice: LogChoice): Promise<void> {
  run.report({ kind: "note", text: `Following logs on ${sources.map(({ name }) => name).join(", ")}...` });
  const query: LogQuery = { ...choice, follow: true, timestamps: true, lines: choice.lines ?? 10 };
  const prefix = (host: string) => (sources.length === 1 ? "" : `${host} | `);
  try {
    await onHosts(
      sources.filter(({ container }) => container !== undefined),
      async ({ host, container }) => {
        const lines = lineByLine((line) => run.print(`${prefix(host.name)}${line}\n`));
        const options = { signal: run.signal, onOutput: ({ text }: { text: string }) => lines.add(text) };
        await host.run(script("Follow", [step("Follow", logs(container!, query))]), options).finally(() => lines.end());
      },
    );
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
  }
}
