import { containerName, containerPrefix, versionOf } from "../../config/names.ts";
import { ExitCode, MrskError, UsageError } from "../../errors.ts";
import { containersOf, liveContainer, stoppedContainer } from "../../plan/containers.ts";
import type { HostFacts } from "../../plan/facts.ts";
import { runHook } from "../hook.ts";
import { ensureImage } from "../image.ts";
import { withLock } from "../lock.ts";
import { resolveVersion } from "../resolve-version.ts";
import { appHosts, type Run, runOn } from "../run.ts";
import { requireSecrets } from "../secrets.ts";
import { observeRepaired } from "../traefik/repair.ts";
import { refuseUnsupported } from "../unsupported.ts";
import { bootVersion, type RevertOption } from "./boot.ts";
import { canaryRollback, rollBackWeighted } from "./canary.ts";
import { type Deployed, withPostDeploy } from "./post-deploy.ts";

/**
 * `rollback [VERSION]`: starts the kept container of that version, or a new one of its image if the container was pruned.
 * Without VERSION: reverts a canary if there is one, else the version before.
 */
export async function rollback(run: Run, typed: string | undefined, { revert }: RevertOption = {}): Promise<void> {
  await withPostDeploy(run, async () => {
    refuseUnsupported(run);
    appHosts(run);
    await requireSecrets(run, { accessories: false, builder: false });
    return withLock(run, async () => {
      const facts = await observeRepaired(run, appHosts(run));
      const canary = typed === undefined ? await rollBackCanary(run, facts) : undefined;
      if (canary) return canary;
      const version = typed === undefined ? versionBefore(run, facts) : resolveVersion(run, facts, typed);
      await requireVersion(run, facts, version);
      await runHook(run, "pre-deploy", version);
      await bootVersion(run, version, { reuse: true, prune: false, revert });
      return { run, version };
    });
  });
}

/** Reverts the canary, and nothing else. @returns undefined without a canary */
async function rollBackCanary(run: Run, facts: ReadonlyMap<string, HostFacts>): Promise<Deployed | undefined> {
  const { weighted, byHost, version } = canaryRollback(run, facts);
  const hosts = [...weighted.map(({ host }) => host), ...byHost];
  if (hosts.length === 0) return undefined;
  if (byHost.length > 0) await requireVersion(runOn(run, byHost), facts, version);
  await runHook(runOn(run, hosts), "pre-deploy", version);
  if (weighted.length > 0) await rollBackWeighted(run, facts, weighted);
  if (byHost.length > 0) await bootVersion(runOn(run, byHost), version, { reuse: true, prune: false });
  return { run: runOn(run, hosts), version };
}

/**
 * If a container of the version was pruned, its image serves: the host's, or the registry's.
 * @throws UsageError if a host has neither, with the versions that it has
 */
async function requireVersion(run: Run, facts: ReadonlyMap<string, HostFacts>, version: string): Promise<void> {
  const missing = run.selection.app.flatMap(({ host, roles }) =>
    roles
      .filter(
        (role) => !facts.get(host)!.containers.some(({ name }) => name === containerName(run.config, role, version)),
      )
      .map((role) => {
        const present = versionsOf(run, host, role.name, facts);
        return `${host}: role ${role.name} has no container of version ${version} (it has: ${present.join(", ") || "none"})`;
      }),
  );
  if (missing.length === 0) return;
  try {
    await ensureImage(run, version);
  } catch (error) {
    if (!(error instanceof MrskError) || error.exitCode !== ExitCode.usage) throw error;
    throw new UsageError(`The app version '${version}' is not available as a container\n${missing.join("\n")}`, {
      hint: "See `mrsk app containers` for the versions on the hosts.",
      cause: error,
    });
  }
}

function versionsOf(run: Run, host: string, roleName: string, facts: ReadonlyMap<string, HostFacts>): string[] {
  const role = run.config.roles.find(({ name }) => name === roleName)!;
  const prefix = containerPrefix(run.config, role);
  return containersOf(run.config, role, facts.get(host)!).map(({ name }) => versionOf(prefix, name)!);
}

/** The version that ran before. @throws UsageError if the hosts disagree, or none ran before */
function versionBefore(run: Run, facts: ReadonlyMap<string, HostFacts>): string {
  const before = run.selection.app.flatMap(({ host, roles }) =>
    roles.map((role) => {
      const seen = facts.get(host)!;
      const live = (liveContainer(run.config, role, seen) ?? stoppedContainer(run.config, role, seen))?.name;
      const prefix = containerPrefix(run.config, role);
      const { releases } = seen;
      const current = live && versionOf(prefix, live);
      const released = releases.findLast(
        (version, i) => version !== current && i < (releases.lastIndexOf(current ?? "") + 1 || Infinity),
      );
      const kept = containersOf(run.config, role, seen).find(({ name }) => name !== live);
      // A failed version leaves a container as well, but is not in the list of deployed versions. MRSK kept no such list.
      return { where: `${host} (${role.name})`, version: released ?? (kept && versionOf(prefix, kept.name)) };
    }),
  );
  const versions = new Set(before.map(({ version }) => version));
  const [only] = versions;
  if (versions.size === 1 && only !== undefined) return only;
  throw new UsageError(
    `Which version? ${before.map(({ where, version }) => `${where}: ${version ?? "none before"}`).join(", ")}`,
    { hint: "Name one: mrsk rollback VERSION" },
  );
}
