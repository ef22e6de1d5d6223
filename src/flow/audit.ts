import { record, reveal } from "../commands/auditor.ts";
import { attempt, script, type Step } from "../commands/script.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { timestamp } from "./hook.ts";
import { appHosts, printBlock, type Run } from "./run.ts";

/** One audit line as a step of a script: a log that cannot be written ends no deploy. */
export async function audit(run: Run, text: string, role?: string): Promise<Step> {
  const entry = { at: timestamp(run.clock.now()), performer: await run.performer(), role, text };
  return attempt(`Audit: ${text}`, record(run.config, entry));
}

/** `mrsk audit`. */
export async function showAudit(run: Run): Promise<void> {
  const results = await onHosts(appHosts(run), async (host) => ({
    host: host.name,
    text: (await host.run(script("Audit log", [attempt("Audit log", reveal(run.config))]))).text("Audit log"),
  }));
  for (const { host, text } of results) printBlock(run, "App", host, text);
}
