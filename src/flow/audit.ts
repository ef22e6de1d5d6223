import { type AuditEntry, record, recordOutcome, reveal } from "../commands/auditor.ts";
import { containerPrefix, image } from "../commands/names.ts";
import { attempt, script, type Step } from "../script/script.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { type HostPlan, isCanary } from "../plan/deploy.ts";
import { timestamp } from "./hook.ts";
import { appHosts, printBlock, type Run } from "./run.ts";

type Line = readonly [text: string, role?: string | undefined];

/**
 * One audit line as a step of a script, after the work that it names: it says what became of the steps since the last
 * such line, or since the script began. A log that cannot be written ends no deploy.
 */
export function outcome(run: Run, text: string, role?: string): Promise<Step> {
  return outcomes(run, [[text, role]]);
}

/** Several of them with one outcome, as one step. */
export async function outcomes(run: Run, lines: readonly Line[]): Promise<Step> {
  const name = stepName(run, lines);
  return {
    id: name,
    name,
    body: recordOutcome(run.config, ...(await entriesOf(run, lines))),
    mode: "outcome",
  };
}

/** Lines of what is known to have been done. */
async function done(run: Run, lines: readonly Line[]): Promise<Step> {
  return attempt(stepName(run, lines), record(run.config, ...(await entriesOf(run, lines))));
}

function stepName(run: Run, lines: readonly Line[]): string {
  return `Audit: ${[...new Set(lines.map(([text]) => run.mask(text)))].join(", ")}`;
}

async function entriesOf(run: Run, lines: readonly Line[]): Promise<AuditEntry[]> {
  const [at, performer] = [timestamp(run.clock.now()), await run.performer()];
  return lines.map(([text, role]) => ({ at, performer, role, text: run.mask(text) }));
}

/** The original's lines of a boot, and of what a deploy prunes, as one step. Written once they are true. */
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
    lines.push([whatWasDone(next.version, percent, canary !== undefined), role.name]);
  }
  if (prune) lines.push(...(isCanary({ roles }) ? [] : [["Pruned containers"] as const]), ["Pruned images"]);
  return done(run, lines);
}

function whatWasDone(version: string, percent: number | undefined, promoted: boolean): string {
  if (percent !== undefined) return `Started app version ${version} as a canary with ${percent}% of the requests`;
  return `${promoted ? "Promoted the canary: booted" : "Booted"} app version ${version}`;
}

/** The line of `app start` for each role. Written once it is true. */
export function auditStart(run: Run, { roles }: HostPlan): Promise<Step> {
  return done(
    run,
    roles.map(({ next }) => [`Started app version ${next.version}`]),
  );
}

/** `mrsk audit`. */
export async function showAudit(run: Run): Promise<void> {
  const results = await onHosts(appHosts(run), async (host) => ({
    host: host.name,
    text: (await host.run(script("Audit log", [attempt("Audit log", reveal(run.config), "log")]))).text("log"),
  }));
  for (const { host, text } of results) printBlock(run, "App", host, text);
}
