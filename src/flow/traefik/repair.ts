import { script, step } from "../../script/script.ts";
import { restartPolicy } from "../../commands/traefik.ts";
import { traefikOn } from "../../config/traefik.ts";
import { probeRequests } from "../../traefik/probe-requests.ts";
import { type Filter, repairReplacement } from "../../traefik/replace.ts";
import type { Host } from "../../hosts/host.ts";
import { observeContainers } from "../../observe/containers.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import type { HostFacts, HostContainer } from "../../plan/facts.ts";
import { isTraefik } from "../../plan/traefik.ts";
import { observeHosts } from "../observe.ts";
import type { Run } from "../run.ts";
import { withTraefikErrors } from "./errors.ts";
import { SECOND } from "../../shell/constants.ts";

/**
 * Observes the hosts, and repairs what an interrupted `traefik reboot` left there.
 * @param version as for `observeHosts`
 * @throws HostsFailedError
 */
export async function observeRepaired(
  run: Run,
  hosts: readonly Host[],
  version?: string,
): Promise<Map<string, HostFacts>> {
  const facts = await observeHosts(run, hosts, version);
  const left = hosts.filter(({ name }) => facts.get(name)!.swapLeftovers.length > 0);
  if (left.length === 0) return facts;
  await onHosts(left, (host) => repair(run, host, facts.get(host.name)!));
  return new Map([...facts, ...(await observeHosts(run, left, version))]);
}

/** Finishes or undoes an interrupted `traefik reboot` on one host. */
export async function repair(run: Run, host: Host, facts: HostFacts): Promise<void> {
  const filter = filterOf(facts);
  const requests = probeRequests(appsOf(await observeContainers(host)));
  const repairing = repairReplacement(restartPolicy(traefikOn(run.config, host.name)), filter, requests);
  const work = script("Repair an interrupted reboot of Traefik", [step("Repair a reboot of Traefik", repairing)]);
  await withTraefikErrors(() => host.run(work, { signal: run.signal }));
  if (!filter && facts.swapLeftovers.includes(SECOND)) {
    const text = `an interrupted \`mrsk traefik reboot\` left ${SECOND}, and possibly packet filter rules: run it again as root or with sudo`;
    run.report({ kind: "warning", host: host.name, text });
  } else {
    run.report({ kind: "note", host: host.name, text: "Repaired an interrupted reboot of Traefik" });
  }
}

/** The running containers to which Traefik may route. */
export function appsOf(containers: readonly HostContainer[]): HostContainer[] {
  return containers.filter(({ name, state }) => state === "running" && !isTraefik(name));
}

export function filterOf({ redirects, root }: HostFacts): Filter {
  if (!redirects) return undefined;
  return root ? [] : ["sudo", "-n"];
}
