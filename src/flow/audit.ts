import { type AuditEntry, record, recordOutcome, printAuditLog } from "../commands/auditor.ts";
import { containerPrefix, image } from "../config/names.ts";
import { attempt, script, type Step } from "../script/script.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { type HostPlan, isCanary } from "../plan/deploy.ts";
import { timestamp } from "./hook.ts";
import { appHosts, printBlock, type Run } from "./run.ts";

type Line = readonly [text: string, role?: string | undefined];

/**
 * A step that writes one audit line. It follows the work that it names, and records the outcome of the steps since the
 * previous audit line or the start of the script. A failed write does not fail the script.
 */
export function outcome(run: Run, text: string, role?: string): Promise<Step> {
  return outcomes(run, [[text, role]]);
}

/** Several audit lines with one outcome, as one step. */
export async function outcomes(run: Run, lines: readonly Line[]): Promise<Step> {
  const name = stepName(run, lines);
  return {
    id: name,
    name,
    body: recordOutcome(run.config, ...(await entriesOf(run, lines))),
    mode: "outcome",
  };
}

/** Audit lines without an outcome: the work is known to have succeeded. */
async function recorded(run: Run, lines: readonly Line[]): Promise<Step> {
  return attempt(stepName(run, lines), record(run.config, ...(await entriesOf(run, lines))));
}

function stepName(run: Run, lines: readonly Line[]): string {
  return `Audit: ${[...new Set(lines.map(([text]) => run.mask(text)))].join(", ")}`;
}

async function entriesOf(run: Run, lines: readonly Line[]): Promise<AuditEntry[]> {
  const [at, performer] = [timestamp(run.clock.now()), await run.performer()];
  return lines.map(([text, role]) => ({ at, performer, role, text: run.mask(text) }));
}

/** MRSK's audit lines of a boot and of the prune after a deploy, as one step, to run after the work. */
export function auditBoot(run: Run, { roles }: HostPlan, { prune }: { prune: boolean }): Promise<Step> {
  const { config } = run;
  const lines: Line[] = isCanary({ roles })
    ? []
    : [[`Tagging ${image(config, roles[0]!.next.version)} as the latest image`]];
  for (const { role, next, nameConflict, percent, canary } of roles) {
    if (nameConflict?.newName !== undefined) {
      const renamed = nameConflict.newName.slice(containerPrefix(config, role).length + 1);
      lines.push([`Renaming container ${next.version} to ${renamed}`, role.name]);
    }
    lines.push([bootLine(next.version, percent, canary !== undefined), role.name]);
  }
  if (prune) lines.push(...(isCanary({ roles }) ? [] : [["Pruned containers"] as const]), ["Pruned images"]);
  return recorded(run, lines);
}

function bootLine(version: string, percent: number | undefined, promoted: boolean): string {
  if (percent !== undefined) return `Started app version ${version} as a canary with ${percent}% of the requests`;
  return `${promoted ? "Promoted the canary: booted" : "Booted"} app version ${version}`;
}

/** The audit line of `app start` for each role, to run after the work. */
export function auditStart(run: Run, { roles }: HostPlan): Promise<Step> {
  return recorded(
    run,
    roles.map(({ next }) => [`Started app version ${next.version}`]),
  );
}

/** `mrsk audit`. */
export async function showAudit(run: Run): Promise<void> {
  const results = await onHosts(appHosts(run), async (host) => ({
    host: host.name,
    text: (await host.run(script("Audit log", [attempt("Audit log", printAuditLog(run.config), "log")]))).text("log"),
  }));
  for (const { host, text } of results) printBlock(run, "App", host, text);
}
