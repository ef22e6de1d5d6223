import { stoppable } from "../../abort.ts";
import { ExitCode, MrskError, UsageError } from "../../errors.ts";
import { containersOf, liveContainer, stoppedContainer } from "../../plan/containers.ts";
import type { HostPlan } from "../../plan/deploy.ts";
import { versionOf, containerName, containerPrefix } from "../../commands/names.ts";
import type { HostFacts } from "../../plan/facts.ts";
import type { CanaryTarget } from "../../plan/canary-target.ts";
import { checkFiles } from "../accessory-files.ts";
import { bootAccessory, hasAccessories } from "../accessory.ts";
import { versionToBoot } from "../app/app.ts";
import { push } from "../build/build.ts";
import { ensureBuilder } from "../build/builder.ts";
import { endCanaries, rollBackWeighted, canaryRollback } from "./canary.ts";
import { hasHook, hookAfterwards, runHook } from "../hook.ts";
import { ensureImage, fetchImage } from "../image.ts";
import { resolveVersion, withVersionFrom } from "../resolve-version.ts";
import { withLock } from "../lock.ts";
import { plansFor, refuse } from "./plans.ts";
import { login } from "../registry.ts";
import { checkReleaseCommand, runReleaseCommand } from "./release-command.ts";
import { rollOut } from "./roll-out.ts";
import { appHosts, begin, type Run, runOn, timed } from "../run.ts";
import { appSecrets, requireSecrets } from "../secrets.ts";
import { bootstrap } from "../server.ts";
import { refuseTrackedSecrets } from "../build/tracked-env.ts";
import { noteDifference, refuseDroppedSettings } from "../traefik/traefik.ts";
import { observeRepaired } from "../traefik/repair.ts";

/** `revert`: whether a failure takes every host back, as it does without, or leaves things as they are to be looked at. */
export interface RevertOption {
  readonly revert?: boolean | undefined;
}

export interface DeployOptions extends RevertOption {
  readonly skipPush: boolean;
  /** The version is on trial: with a share of the requests, or on the selected hosts while others stay. */
  readonly canary?: CanaryShare;
}

/** `share` is a percentage; undefined: the hosts get the version wholly. */
type CanaryShare = Pick<CanaryTarget, "share">;

interface BootOptions extends RevertOption {
  /** Whether kept containers of the version are taken as they are. */
  readonly reuse: boolean;
  readonly prune: boolean;
  readonly canary?: CanaryShare | undefined;
  /** Whether canaries of the version are made live, not taken back before. */
  readonly promote?: boolean;
  /** What was seen of the hosts a moment ago; without, they are looked at. */
  readonly seen?: ReadonlyMap<string, HostFacts> | undefined;
}

/** `setup`: what a server needs once, then a deploy. Can be repeated. */
export async function setup(run: Run, options: DeployOptions): Promise<void> {
  await withPostDeploy(run, async (changed) => {
    await prepareRun(run, { ...options, accessories: true });
    await withLock(run, async () => {
      begin(run, "Ensure Docker and curl are installed...");
      await bootstrap(run);
      if (hasAccessories(run)) await bootAccessory(run, "all");
      await deliverAndBoot(run, { ...options, everything: true, changed });
    });
  });
}

/** `deploy`. Read it top to bottom; go to definition for how any line is done. */
export async function deploy(run: Run, options: DeployOptions): Promise<void> {
  await withPostDeploy(run, async (changed) => {
    await prepareRun(run, { ...options, accessories: false });
    await withLock(run, () => deliverAndBoot(run, { ...options, everything: true, changed }));
  });
}

/** `redeploy`: without a registry login on this machine, and without a check of the builder. */
export async function redeploy(run: Run, options: DeployOptions): Promise<void> {
  await withPostDeploy(run, async (changed) => {
    await prepareRun(run, { ...options, accessories: false });
    await withLock(run, () => deliverAndBoot(run, { ...options, everything: false, changed }));
  });
}

/** The lock is held since then: only what nobody deploys changes meanwhile. */
const FRESH_MILLISECONDS = 10_000;

interface Delivery extends DeployOptions {
  readonly everything: boolean;
  /** Is given the run with its version as the hosts know it. */
  readonly changed: (run: Run) => void;
}

async function deliverAndBoot(given: Run, { skipPush, revert, everything, canary, changed }: Delivery): Promise<void> {
  const observedAt = given.clock.now().getTime();
  const observing = observeRepaired(given, appHosts(given));
  const run = withVersionFrom(given, () => observing);
  changed(run);
  const before = await whileObserving(run, observeAndRefuse(run, observing, canary), async (local, looking) => {
    if (everything) {
      if (!skipPush) await ensureBuilder(local, looking);
      begin(local, "Log into image registry...");
      await login(local, { skipRemote: true });
    }
    if (!skipPush) {
      begin(local, "Build and push app image...");
      await push(local, { clear: looking, builderIsReady: everything, checked: true });
    }
  });
  begin(run, "Pull app image...");
  // A build may take long enough for a host to change; what was seen a moment ago still holds.
  const old = !skipPush && run.clock.now().getTime() - observedAt > FRESH_MILLISECONDS;
  const facts = await fetchImage(run, { facts: before, old });
  // A hook may do anything to the hosts: after one, they are looked at again.
  const seen = hasHook(run, "pre-deploy") ? undefined : facts;
  await runHook(run, "pre-deploy");
  await runReleaseCommand(run);
  await bootVersion(run, { reuse: false, prune: true, canary, revert, seen });
}

/**
 * Work on this machine while hosts are looked at. What the look finds stops the work, and of two failures it is told.
 * @param work its run ends early when the look fails
 */
async function whileObserving<T>(
  run: Run,
  looking: Promise<T>,
  work: (run: Run, looking: Promise<T>) => Promise<void>,
): Promise<T> {
  const [looked, worked] = await stoppable(run.signal, (signal, stop) => {
    looking.catch(stop);
    return Promise.allSettled([looking, work({ ...run, signal }, looking)]);
  });
  if (looked.status === "rejected") throw looked.reason;
  if (worked.status === "rejected") throw worked.reason;
  return looked.value;
}

/** Judges what is seen of the hosts before anything is touched, so that what cannot work is said now. */
async function observeAndRefuse(
  run: Run,
  observing: Promise<ReadonlyMap<string, HostFacts>>,
  canary: CanaryShare | undefined,
): Promise<ReadonlyMap<string, HostFacts>> {
  const facts = await observing;
  const version = await run.version();
  refuse(plansFor(run, facts, { wanted: () => version, reuse: false, share: canary?.share }));
  return facts;
}

/** Observe, decide, act. */
export async function bootVersion(
  run: Run,
  { reuse, prune, canary, promote = false, revert = true, ...before }: BootOptions,
): Promise<void> {
  const version = await run.version();
  begin(run, `Start containers with version ${version}...`);
  const seen = before.seen ?? (await observeRepaired(run, appHosts(run), version));
  const facts = promote ? seen : await endCanaries(run, seen);
  const plans = plansFor(run, facts, { wanted: () => version, reuse, promote, share: canary?.share });
  refuse(plans);
  for (const plan of plans) {
    noteDifference(run, plan.host, plan.traefik);
    noteClosedDirectory(run, plan);
    noteHealthcheck(run, plan);
  }
  const roles = run.selection.app.flatMap((target) => target.roles);
  await rollOut(run, plans, await appSecrets(run, roles), { prune, revert, canary: canary !== undefined });
}

/** The image cannot run what docker would ask it with. */
function noteHealthcheck(run: Run, { host, roles }: HostPlan): void {
  if (roles.every(({ usesDockerHealthcheck }) => usesDockerHealthcheck)) return;
  const text = "the image has no curl for docker's health check: it is asked through Traefik alone";
  run.report({ kind: "note", host, text });
}

/** Another login user made the directory: the labels decide, as with a Traefik that has none. */
function noteClosedDirectory(run: Run, { host, facts, roles }: HostPlan): void {
  if (facts.liveDirectoryWritable || !roles.some(({ routing }) => routing === "labels")) return;
  const text = `${facts.user} may not write the live files in ${facts.liveDirectory}: labels decide, and requests may be lost. Deploy as the user who made it, or as one with sudo.`;
  run.report({ kind: "note", host, text });
}

/** `app boot`: the version given, else the one that is live, in a new container. */
export async function bootApp(run: Run, { revert }: RevertOption = {}): Promise<void> {
  appHosts(run);
  await withLock(run, async () => {
    const version = await versionToBoot(run);
    await bootVersion({ ...run, version: async () => version }, { reuse: false, prune: false, revert });
  });
}

/** `rollback [VERSION]`: the kept container of that version, where there is one. Without, a canary is taken back first. */
export async function rollback(run: Run, version: string | undefined, { revert }: RevertOption = {}): Promise<void> {
  await withPostDeploy(run, async (changed) => {
    appHosts(run);
    await requireSecrets(run, { accessories: false, builder: false });
    await withLock(run, async () => {
      const facts = await observeRepaired(run, appHosts(run));
      if (version === undefined && (await rollBackCanary(run, facts, changed))) return;
      const target = version === undefined ? versionBefore(run, facts) : resolveVersion(run, facts, version);
      await requireVersion(run, facts, target);
      const back = { ...run, version: async () => target };
      changed(back);
      await runHook(back, "pre-deploy");
      await bootVersion(back, { reuse: true, prune: false, revert });
    });
  });
}

/** Takes back what is on trial, and nothing else. @returns false where nothing is */
async function rollBackCanary(
  run: Run,
  facts: ReadonlyMap<string, HostFacts>,
  changed: (run: Run) => void,
): Promise<boolean> {
  const { shared, byHost, version } = canaryRollback(run, facts);
  const hosts = [...shared.map(({ host }) => host), ...byHost];
  if (hosts.length === 0) return false;
  const back = { ...runOn(run, hosts), version: async () => version };
  changed(back);
  if (byHost.length > 0) await requireVersion(runOn(back, byHost), facts, version);
  await runHook(back, "pre-deploy");
  if (shared.length > 0) await rollBackWeighted(run, facts, shared);
  if (byHost.length > 0) await bootVersion(runOn(back, byHost), { reuse: true, prune: false });
  return true;
}

/**
 * Where a container of the version was pruned, its image will do: the host's, or the registry's.
 * @throws UsageError where a host has neither, naming the versions it has
 */
async function requireVersion(run: Run, facts: ReadonlyMap<string, HostFacts>, version: string): Promise<void> {
  const missing = run.selection.app.flatMap(({ host, roles }) =>
    roles
      .filter(
        (role) => !facts.get(host)!.containers.some(({ name }) => name === containerName(run.config, role, version)),
      )
      .map((role) => {
        const there = versionsOf(run, host, role.name, facts);
        return `${host}: role ${role.name} has no container of version ${version} (it has: ${there.join(", ") || "none"})`;
      }),
  );
  if (missing.length === 0) return;
  try {
    await ensureImage(run, version);
  } catch (error) {
    if (!(error instanceof MrskError) || error.exitCode !== ExitCode.usage) throw error;
    throw new UsageError(`The app version '${version}' is not available as a container\n${missing.join("\n")}`, {
      hint: "See `mrsk app containers` for what there is.",
      cause: error,
    });
  }
}

function versionsOf(run: Run, host: string, roleName: string, facts: ReadonlyMap<string, HostFacts>): string[] {
  const role = run.config.roles.find(({ name }) => name === roleName)!;
  const prefix = containerPrefix(run.config, role);
  return containersOf(run.config, role, facts.get(host)!).map(({ name }) => versionOf(prefix, name)!);
}

/** The version that ran before, where all hosts agree on it. */
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
      // A failed version leaves a container too, but no release. The original left no releases.
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

async function prepareRun(
  run: Run,
  { skipPush, accessories }: DeployOptions & { accessories: boolean },
): Promise<void> {
  for (const text of run.config.notes) run.report({ kind: "note", text });
  refuseDroppedSettings(run);
  appHosts(run);
  checkReleaseCommand(run.config);
  if (accessories) checkFiles(run, run.config.accessories);
  await requireSecrets(run, { accessories, builder: !skipPush });
  if (!skipPush) await refuseTrackedSecrets(run);
  const version = await run.version();
  if (skipPush && run.givenVersion === undefined && version.includes("_uncommitted_")) {
    throw new UsageError("There are uncommitted changes, so the version to deploy was never built", {
      hint: "Commit or stash them, name a version with --version, or leave out --skip-push.",
    });
  }
}

/** The whole time is told also on failure; the hook runs after a success, when the lock is free. */
export async function withPostDeploy(run: Run, work: (changed: (run: Run) => void) => Promise<void>): Promise<void> {
  const started = run.clock.now().getTime();
  let finished = run;
  await timed(run, () => work((changed) => (finished = changed)));
  const seconds = Math.round((run.clock.now().getTime() - started) / 1000);
  await hookAfterwards(finished, "post-deploy", { MRSK_RUNTIME: String(seconds) });
}
