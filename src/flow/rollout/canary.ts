import { containerPrefix, versionOf } from "../../config/names.ts";
import { removeLiveFile } from "../../commands/write-live-file.ts";
import { attempt, script, step } from "../../script/script.ts";
import { startTraefikContainer } from "../../commands/traefik.ts";
import type { Role } from "../../config/config.ts";
import { UsageError } from "../../errors.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import type { CanaryFact } from "../../plan/facts.ts";
import { canaryOf, containersOf, lastLiveContainer } from "../../plan/containers.ts";
import type { HostPlan, RolePlan } from "../../plan/deploy.ts";
import { type ContainerFact, type HostFacts, isUp, readsLiveFiles } from "../../plan/facts.ts";
import { outcomes } from "../audit.ts";
import { observeHosts } from "../observe.ts";
import { hostPhases } from "./phases.ts";
import { appHosts, begin, type Run } from "../run.ts";

/** A weighted canary: of one role, on one host. */
export interface CanaryOnHost extends CanaryFact {
  readonly host: string;
  readonly role: Role;
  readonly version: string;
  /** The container with the other requests, running or stopped; undefined if it was removed. */
  readonly live: ContainerFact | undefined;
}

/** Every weighted canary on the selected hosts, also a crashed one. */
export function canariesIn(run: Run, facts: ReadonlyMap<string, HostFacts>): CanaryOnHost[] {
  return run.selection.app.flatMap(({ host, roles }) =>
    roles.flatMap((role) => {
      const seen = facts.get(host)!;
      const found = canaryOf(run.config, role, seen);
      if (!found) return [];
      const live = lastLiveContainer(run.config, role, seen);
      const version = versionOf(containerPrefix(run.config, role), found.container.name)!;
      return [{ ...found, host, role, version, live: live === found.container ? undefined : live }];
    }),
  );
}

/** The canaries that `rollback` reverts. */
export interface CanaryRollback {
  readonly weighted: readonly CanaryOnHost[];
  /** Hosts with a canary by host. */
  readonly byHost: readonly string[];
  /** The version that is live afterwards; empty without a canary. */
  readonly version: string;
}

/** @throws UsageError if the hosts ran different versions before */
export function canaryRollback(run: Run, facts: ReadonlyMap<string, HostFacts>): CanaryRollback {
  const weighted = canariesIn(run, facts);
  const byHost = run.selection.app.filter(({ host }) => facts.get(host)!.canaryRelease !== undefined);
  const before = byHost.map(({ host, roles }) => ({
    host,
    version: versionBeforeCanary(run, roles, facts.get(host)!),
  }));
  const versions = new Set(before.map(({ version }) => version));
  if (versions.size > 1 || versions.has(undefined)) {
    const what = before.map(({ host, version }) => `${host}: ${version ?? "none before"}`).join(", ");
    throw new UsageError(`Which version? ${what}`, { hint: "Name one: mrsk rollback VERSION -h HOST" });
  }
  const { live, role } = weighted[0] ?? {};
  const stays = live && role && versionOf(containerPrefix(run.config, role), live.name);
  return { weighted, byHost: byHost.map(({ host }) => host), version: [...versions][0] ?? stays ?? "" };
}

function versionBeforeCanary(run: Run, roles: readonly Role[], facts: HostFacts): string | undefined {
  const { canaryRelease, releases } = facts;
  const released = releases.findLast((version) => version !== canaryRelease);
  if (released !== undefined) return released;
  // MRSK kept no list of deployed versions.
  const kept = roles.flatMap((role) =>
    containersOf(run.config, role, facts).map(({ name }) => versionOf(containerPrefix(run.config, role), name)),
  );
  return kept.find((version) => version !== canaryRelease);
}

/** Reverts the weighted canaries before another version becomes live. @returns the facts of the hosts afterwards */
export async function endCanaries(
  run: Run,
  version: string,
  facts: ReadonlyMap<string, HostFacts>,
): Promise<ReadonlyMap<string, HostFacts>> {
  // If only the canary runs, the next version replaces it. If neither runs, there is nothing to revert.
  const canaries = canariesIn(run, facts).filter(({ live }) => live && isUp(live));
  if (canaries.length === 0) return facts;
  await rollBackWeighted(run, facts, canaries);
  return observeHosts(run, appHosts(run), version);
}

/**
 * Routes all requests to the live version, drains the canaries and stops them. Can be repeated.
 * @throws UsageError if the live version's container was removed
 */
export async function rollBackWeighted(
  run: Run,
  facts: ReadonlyMap<string, HostFacts>,
  canaries: readonly CanaryOnHost[],
): Promise<void> {
  const alone = canaries.filter(({ live }) => !live);
  if (alone.length > 0) {
    const where = alone.map(({ host, role, version }) => `${host}: role ${role.name} has only ${version}`);
    throw new UsageError(`The version before the canary was removed\n${where.join("\n")}`, {
      hint: "Keep it with `mrsk promote`, or `mrsk deploy` another.",
    });
  }
  begin(run, "Revert the canary...");
  const hosts = [...new Set(canaries.map(({ host }) => host))].map((host) => run.host(host));
  await onHosts(hosts, async (host) => {
    const mine = canaries.filter((canary) => canary.host === host.name);
    const seen = facts.get(host.name)!;
    const plan = rollbackPlan(host.name, seen, mine);
    const line = await outcomes(
      run,
      mine.map(({ role, version }) => [`Reverted the canary of version ${version}`, role.name]),
    );
    const { steps } = hostPhases(run.config, plan, new Map(), run.newId, { revert: true }).undo([line], "finalized");
    const before =
      seen.traefik && seen.traefik.state !== "running" ? [step("Start Traefik", startTraefikContainer())] : [];
    const shared = plan.roles.some(({ routing }) => routing === "live-file");
    const files = mine.map(({ role }) => removeLiveFile(seen.liveDirectory, containerPrefix(run.config, role)));
    const after = shared ? [] : files.map((file) => attempt("Remove the live file", file));
    await host.run(script("Revert the canary", [...before, ...steps, ...after]));
    for (const { live, container } of mine) {
      run.report({
        kind: "note",
        host: host.name,
        text: `${live!.name} has all requests, ${container.name} is stopped and kept`,
      });
    }
  });
}

/** The plan of a deploy of the canary: its undo is the rollback of the canary. */
function rollbackPlan(host: string, facts: HostFacts, canaries: readonly CanaryOnHost[]): HostPlan {
  const shared = facts.traefik !== undefined && readsLiveFiles(facts.traefik) && facts.liveDirectoryWritable;
  const roles = canaries.map(
    ({ role, version, container, live, percent }): RolePlan => ({
      role,
      routing: shared ? "live-file" : "labels",
      next: { name: container.name, version, labels: container.labels, kept: container },
      old: live,
      stopped: undefined,
      percent,
      canary: undefined,
      stale: [],
      nameConflict: undefined,
      surplus: [],
      usesDockerHealthcheck: true,
      admission: { refused: undefined, hints: [] },
    }),
  );
  const traefik = { action: "keep", differs: undefined } as const;
  return { host, facts, roles, traefik, traefikProblems: [], join: undefined };
}
