import { containerPrefix, versionOf } from "../../commands/names.ts";
import { removeLiveFile } from "../../commands/write-live-file.ts";
import { attempt, script, step } from "../../script/script.ts";
import { startTraefikContainer } from "../../commands/traefik.ts";
import type { Role } from "../../config/config.ts";
import { UsageError } from "../../errors.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import type { CanaryFact } from "../../traefik/live-file-reader.ts";
import { canaryOf, containersOf, lastLiveContainer } from "../../plan/containers.ts";
import type { HostPlan, RolePlan } from "../../plan/deploy.ts";
import { type ContainerFact, type HostFacts, isUp, readsLiveFiles } from "../../plan/facts.ts";
import { outcomes } from "../audit.ts";
import { observeHosts } from "../observe.ts";
import { hostPhases } from "./phases.ts";
import { appHosts, begin, type Run } from "../run.ts";

/** A canary that has a share of one role's requests on one host. */
export interface CanaryOnHost extends CanaryFact {
  readonly host: string;
  readonly role: Role;
  readonly version: string;
  /** What has the other requests; undefined when it was removed. It may have stopped. */
  readonly live: ContainerFact | undefined;
}

/** Every canary with a share on the selected hosts, crashed ones too. */
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

/** What `rollback` takes back: shares of the requests, hosts that have a version on trial wholly, and what stays. */
export interface CanaryRollback {
  readonly shared: readonly CanaryOnHost[];
  readonly byHost: readonly string[];
  /** Empty where nothing is on trial. */
  readonly version: string;
}

/** @throws UsageError where the hosts ran different versions before */
export function canaryRollback(run: Run, facts: ReadonlyMap<string, HostFacts>): CanaryRollback {
  const shared = canariesIn(run, facts);
  const wholly = run.selection.app.filter(({ host }) => facts.get(host)!.canaryRelease !== undefined);
  const before = wholly.map(({ host, roles }) => ({
    host,
    version: versionBeforeCanary(run, roles, facts.get(host)!),
  }));
  const versions = new Set(before.map(({ version }) => version));
  if (versions.size > 1 || versions.has(undefined)) {
    const what = before.map(({ host, version }) => `${host}: ${version ?? "none before"}`).join(", ");
    throw new UsageError(`Which version? ${what}`, { hint: "Name one: mrsk rollback VERSION -h HOST" });
  }
  const { live, role } = shared[0] ?? {};
  const stays = live && role && versionOf(containerPrefix(run.config, role), live.name);
  return { shared, byHost: wholly.map(({ host }) => host), version: [...versions][0] ?? stays ?? "" };
}

function versionBeforeCanary(run: Run, roles: readonly Role[], facts: HostFacts): string | undefined {
  const { canaryRelease, releases } = facts;
  const released = releases.findLast((version) => version !== canaryRelease);
  if (released !== undefined) return released;
  // The original left no releases.
  const kept = roles.flatMap((role) =>
    containersOf(run.config, role, facts).map(({ name }) => versionOf(containerPrefix(run.config, role), name)),
  );
  return kept.find((version) => version !== canaryRelease);
}

/** Before another version goes live: what shares its requests with a canary has them back. @returns what was seen then */
export async function endCanaries(
  run: Run,
  version: string,
  facts: ReadonlyMap<string, HostFacts>,
): Promise<ReadonlyMap<string, HostFacts>> {
  // Where the canary alone runs it is what the next version replaces; where neither does, nothing is shared.
  const canaries = canariesIn(run, facts).filter(({ live }) => live && isUp(live));
  if (canaries.length === 0) return facts;
  await rollBackWeighted(run, facts, canaries);
  return observeHosts(run, appHosts(run), version);
}

/**
 * The requests go back to the version before, and the canaries stop once they are quiet. Can be repeated.
 * @throws UsageError where there is nothing to give the requests to
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
      mine.map(({ role, version }) => [`Took back the canary of version ${version}`, role.name]),
    );
    const { steps } = hostPhases(run.config, plan, new Map(), run.newId, { revert: true }).undo([line], "settled");
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

/** As if the canary had just failed: going back is the same. */
function rollbackPlan(host: string, facts: HostFacts, canaries: readonly CanaryOnHost[]): HostPlan {
  const shared = facts.traefik !== undefined && readsLiveFiles(facts.traefik) && facts.liveDirectoryWritable;
  const roles = canaries.map(
    ({ role, version, container, live, percent }): RolePlan => ({
      role,
      routing: shared ? "live-file" : "labels",
      next: { name: container.name, version, labels: container.labels, kept: container },
      old: live,
      stopped: undefined,
      share: percent,
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
