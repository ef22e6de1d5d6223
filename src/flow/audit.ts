import { record, reveal } from "../commands/auditor.ts";
import { containerPrefix, image } from "../commands/names.ts";
import { attempt, script, type Step } from "../commands/script.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { type HostPlan, isTrial } from "../plan/deploy.ts";
import { timestamp } from "./hook.ts";
import { appHosts, printBlock, type Run } from "./run.ts";

type Line = readonly [text: string, role?: string | undefined];

/** One audit line as a step of a script: a log that cannot be written ends no deploy. */
export function audit(run: Run, text: string, role?: string): Promise<Step> {
  return auditAll(run, [[text, role]]);
}

/** Several of them, as one step. */
export async function auditAll(run: Run, given: readonly Line[]): Promise<Step> {
  const [at, performer] = [timestamp(run.clock.now()), await run.performer()];
  const lines = given.map(([text, role]): Line => [run.mask(text), role]);
  const entries = lines.map(([text, role]) => ({ at, performer, role, text }));
  return attempt(`Audit: ${lines.map(([text]) => text).join(", ")}`, record(run.config, ...entries));
}

/** The original's lines of a boot, and of what a deploy prunes, as one step. Written once they are true. */
export function auditBoot(run: Run, { roles }: HostPlan, { prune }: { prune: boolean }): Promise<Step> {
  const { config } = run;
  const lines: Line[] = isTrial({ roles })
    ? []
    : [[`Tagging ${image(config, roles[0]!.next.version)} as the latest image`]];
  for (const { role, next, inTheWay, share, canary } of roles) {
    if (inTheWay?.newName !== undefined) {
      const renamed = inTheWay.newName.slice(containerPrefix(config, role).length + 1);
      lines.push([`Renaming container ${next.version} to ${renamed}`, role.name]);
    }
    lines.push([whatWasDone(next.version, share, canary !== undefined), role.name]);
  }
  if (prune) lines.push(...(isTrial({ roles }) ? [] : [["Pruned containers"] as const]), ["Pruned images"]);
  return auditAll(run, lines);
}

function whatWasDone(version: string, share: number | undefined, promoted: boolean): string {
  if (share !== undefined) return `Started app version ${version} as a canary with ${share}% of the requests`;
  return `${promoted ? "Promoted the canary: booted" : "Booted"} app version ${version}`;
}

/** `mrsk audit`. */
export async function showAudit(run: Run): Promise<void> {
  const results = await onHosts(appHosts(run), async (host) => ({
    host: host.name,
    text: (await host.run(script("Audit log", [attempt("Audit log", reveal(run.config))]))).text("Audit log"),
  }));
  for (const { host, text } of results) printBlock(run, "App", host, text);
}
