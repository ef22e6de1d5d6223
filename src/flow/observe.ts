import { expansions } from "../commands/expansion.ts";
import { needsCurl } from "../commands/healthcheck.ts";
import { image } from "../config/names.ts";
import { versionsFile } from "../commands/versions.ts";
import { observe } from "../observe/facts.ts";
import type { Host } from "../hosts/host.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import type { ObserveOptions } from "../observe/observation.ts";
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
  const options = observeOptions(run, version);
  const facts = await onHosts(hosts, (host) => observe(host, options));
  return new Map(facts.map((fact) => [fact.host, fact]));
}

/** What to observe on each host. */
export function observeOptions(run: Run, version?: string): ObserveOptions {
  return {
    service: run.config.service,
    expansions: expansions(run.config),
    versionsFile: versionsFile(run.config),
    runDirectory: run.config.runDirectory,
    ...(version !== undefined && run.config.roles.some(needsCurl) ? { image: image(run.config, version) } : {}),
  };
}
