import { expansions } from "../commands/expansion.ts";
import { releasesFile } from "../commands/releases.ts";
import { observe } from "../hosts/facts.ts";
import type { Host } from "../hosts/host.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import type { HostFacts } from "../plan/facts.ts";
import type { Run } from "./run.ts";

/** Looks at every host at once. @throws HostsFailedError */
export async function observeHosts(run: Run, hosts: readonly Host[]): Promise<Map<string, HostFacts>> {
  const question = {
    service: run.config.service,
    expansions: expansions(run.config),
    releasesFile: releasesFile(run.config),
    runDirectory: run.config.runDirectory,
  };
  const facts = await onHosts(hosts, (host) => observe(host, question));
  return new Map(facts.map((fact) => [fact.host, fact]));
}
