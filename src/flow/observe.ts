import { expansions } from "../commands/expansion.ts";
import { needsCurl } from "../commands/healthcheck.ts";
import { image } from "../commands/names.ts";
import { releasesFile } from "../commands/releases.ts";
import { observe } from "../observe/facts.ts";
import type { Host } from "../hosts/host.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import type { Question } from "../observe/observation.ts";
import type { HostFacts } from "../plan/facts.ts";
import type { Run } from "./run.ts";

/**
 * Observes all hosts concurrently.
 * @param version also checks whether docker's health check can run in its image
 * @throws HostsFailedError
 */
export async function observeHosts(
  run: Run,
  hosts: readonly Host[],
  version?: string,
): Promise<Map<string, HostFacts>> {
  const question = questionFor(run, version);
  const facts = await onHosts(hosts, (host) => observe(host, question));
  return new Map(facts.map((fact) => [fact.host, fact]));
}

/** What to observe on each host. */
export function questionFor(run: Run, version?: string): Question {
  return {
    service: run.config.service,
    expansions: expansions(run.config),
    releasesFile: releasesFile(run.config),
    runDirectory: run.config.runDirectory,
    ...(version !== undefined && run.config.roles.some(needsCurl) ? { image: image(run.config, version) } : {}),
  };
}
