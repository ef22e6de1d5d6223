import { stoppable } from "../../abort.ts";
import { UsageError } from "../../errors.ts";
import type { HostFacts } from "../../plan/facts.ts";
import { checkFiles } from "../accessory-files.ts";
import { bootAccessory, hasAccessories } from "../accessory.ts";
import { push } from "../build/build.ts";
import { ensureBuilder } from "../build/builder.ts";
import { refuseTrackedSecrets } from "../build/tracked-env.ts";
import { hasHook, runHook } from "../hook.ts";
import { checkOwnCertificates } from "../certificates/own.ts";
import { fetchImage, type EarlierFacts } from "../image.ts";
import { withLock } from "../lock.ts";
import { login } from "../registry.ts";
import { resolveWhileObserving } from "../resolve-version.ts";
import { appHosts, begin, type Run } from "../run.ts";
import { requireSecrets } from "../secrets.ts";
import { bootstrap } from "../server.ts";
import { observeRepaired } from "../traefik/repair.ts";
import { ensureTraefikOfAccessories, refuseDroppedSettings } from "../traefik/traefik.ts";
import { refuseUnsupported } from "../unsupported.ts";
import { bootVersion, type CanaryPercent, type RevertOption } from "./boot.ts";
import { plansFor, refuse } from "./plans.ts";
import { type Deployed, withPostDeploy } from "./post-deploy.ts";
import { checkReleaseCommand, runReleaseCommand } from "./release-command.ts";

export interface DeployOptions extends RevertOption {
  readonly skipPush: boolean;
  /** Build each layer of the image again. */
  readonly noCache?: boolean;
  /** The version becomes a canary: with a percentage of the requests, or on the selected hosts alone. */
  readonly canary?: CanaryPercent;
}

/** `setup`: prepares the servers, boots the accessories, then deploys. Can be repeated. */
export async function setup(run: Run, options: DeployOptions): Promise<Deployed> {
  return withPostDeploy(run, async () => {
    await prepareRun(run, { ...options, accessories: true });
    return withLock(run, async () => {
      begin(run, "Ensure Docker and curl are installed...");
      await bootstrap(run);
      if (hasAccessories(run)) await bootAccessory(run, "all");
      return deliverAndBoot(run, { ...options, login: true });
    });
  });
}

/** `deploy`. Read it top to bottom; go to definition for how any line is done. */
export async function deploy(run: Run, options: DeployOptions): Promise<Deployed> {
  return withPostDeploy(run, async () => {
    await prepareRun(run, { ...options, accessories: false });
    return withLock(run, () => deliverAndBoot(run, { ...options, login: true }));
  });
}

/** `redeploy`: a deploy without a registry login on this machine, and without a check of the builder. */
export async function redeploy(run: Run, options: DeployOptions): Promise<Deployed> {
  return withPostDeploy(run, async () => {
    await prepareRun(run, { ...options, accessories: false });
    return withLock(run, () => deliverAndBoot(run, { ...options, login: false }));
  });
}

interface Delivery extends DeployOptions {
  /** Whether this machine logs in to the registry, and checks the builder. */
  readonly login: boolean;
}

async function deliverAndBoot(run: Run, options: Delivery): Promise<Deployed> {
  const observation = observeMeanwhile(run);
  const version = await resolveWhileObserving(run, observation.facts);
  const seen = await buildWhileObserving(run, version, observation, options);
  const fetched = await pullImage(run, version, seen);
  await runHook(run, "pre-deploy", version);
  await ensureTraefikOfAccessories(run);
  await runReleaseCommand(run, version);
  await bootVersion(run, version, { ...options, reuse: false, prune: true, seen: fetched });
  return { run, version };
}

/** The observation of all app hosts, which goes on while this machine builds. */
interface Observation {
  /** When it began, in milliseconds. */
  readonly startedAt: number;
  readonly facts: Promise<ReadonlyMap<string, HostFacts>>;
}

function observeMeanwhile(run: Run): Observation {
  return { startedAt: run.clock.now().getTime(), facts: observeRepaired(run, appHosts(run)) };
}

/** Facts hold for so long: the run has the lock, so nothing but a failing container changes a host meanwhile. */
const FRESH_MILLISECONDS = 10_000;

/**
 * Builds and pushes the image. An obstacle on a host stops the work here before anything leaves this machine.
 * @returns the facts of the hosts before the deploy
 */
async function buildWhileObserving(
  run: Run,
  version: string,
  { startedAt, facts }: Observation,
  { skipPush, noCache, login: loginHere, canary }: Delivery,
): Promise<EarlierFacts> {
  const observing = observeAndRefuse(run, version, facts, canary);
  const seen = await whileObserving(run, observing, async (local) => {
    if (loginHere) {
      if (!skipPush) await ensureBuilder(local, observing);
      begin(local, "Log into image registry...");
      await login(local, { skipRemote: true });
    }
    if (!skipPush) {
      begin(local, "Build and push app image...");
      await push(local, version, { checks: observing, builderIsReady: loginHere, secretsChecked: true, noCache });
    }
  });
  return { facts: seen, old: !skipPush && run.clock.now().getTime() - startedAt > FRESH_MILLISECONDS };
}

/** @returns the facts of each host with the image; undefined if a `pre-deploy` hook may change the hosts after this */
async function pullImage(
  run: Run,
  version: string,
  seen: EarlierFacts,
): Promise<ReadonlyMap<string, HostFacts> | undefined> {
  begin(run, "Pull app image...");
  const facts = await fetchImage(run, version, seen);
  return hasHook(run, "pre-deploy") ? undefined : facts;
}

/**
 * Works on this machine while the hosts are observed. A failed observation stops the work; of two failures it is the one
 * that is thrown.
 * @param work its run aborts when the observation fails
 */
async function whileObserving<T>(run: Run, observing: Promise<T>, work: (run: Run) => Promise<void>): Promise<T> {
  const [observed, worked] = await stoppable(run.signal, (signal, stop) => {
    observing.catch(stop);
    return Promise.allSettled([observing, work({ ...run, signal })]);
  });
  if (observed.status === "rejected") throw observed.reason;
  if (worked.status === "rejected") throw worked.reason;
  return observed.value;
}

/** @throws MrskError with all obstacles on the hosts, before anything is changed */
async function observeAndRefuse(
  run: Run,
  version: string,
  observing: Promise<ReadonlyMap<string, HostFacts>>,
  canary: CanaryPercent | undefined,
): Promise<ReadonlyMap<string, HostFacts>> {
  const facts = await observing;
  refuse(plansFor(run, facts, { versionOn: () => version, reuse: false, percent: canary?.percent }));
  return facts;
}

async function prepareRun(
  run: Run,
  { skipPush, accessories }: DeployOptions & { accessories: boolean },
): Promise<void> {
  for (const text of run.config.notes) run.report({ kind: "note", text });
  refuseUnsupported(run);
  refuseDroppedSettings(run);
  appHosts(run);
  checkReleaseCommand(run.config);
  if (accessories) checkFiles(run, run.config.accessories);
  await requireSecrets(run, { accessories, builder: !skipPush });
  await checkOwnCertificates(run);
  if (!skipPush) await refuseTrackedSecrets(run);
  const version = await run.requestedVersion();
  if (skipPush && run.givenVersion === undefined && version.includes("_uncommitted_")) {
    throw new UsageError("There are uncommitted changes, so the version to deploy was never built", {
      hint: "Commit or stash them, name a version with --version, or leave out --skip-push.",
    });
  }
}
