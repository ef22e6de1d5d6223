import { UsageError } from "../../errors.ts";
import { canaryTarget } from "../../plan/canary-target.ts";
import { isUnfinished, liveVersion } from "../../plan/containers.ts";
import { type HostFacts, isUp } from "../../plan/facts.ts";
import { ensureImage } from "../image.ts";
import { resolveGivenVersion } from "../resolve-version.ts";
import { canariesIn } from "./canary.ts";
import { bootVersion } from "./boot.ts";
import { type DeployOptions, deploy, redeploy } from "./deploy.ts";
import { withPostDeploy } from "./post-deploy.ts";
import { runHook } from "../hook.ts";
import { withLock } from "../lock.ts";
import { observeHosts } from "../observe.ts";
import { appHosts, type Run } from "../run.ts";
import { requireSecrets } from "../secrets.ts";

/** `deploy --canary` and `redeploy --canary`. @param target as typed: a percentage, or hosts */
export async function deployCanary(
  run: Run,
  target: string,
  { command, ...options }: DeployOptions & { command: "deploy" | "redeploy" },
): Promise<void> {
  const { selection, share } = canaryTarget(run.config, run.filters, run.selection, target);
  const work = command === "deploy" ? deploy : redeploy;
  const { version } = await work({ ...run, selection }, { ...options, canary: { share } });
  const hosts = selection.app.map(({ host }) => host).join(", ");
  const what = share === undefined ? "all requests" : `${share}% of the requests`;
  run.report({
    kind: "note",
    text: `Version ${version} has ${what} on ${hosts}. Next: \`mrsk promote\` gives it the rest, \`mrsk rollback\` takes it back.`,
  });
}

/** `promote`: the canary's version everywhere. What a crash left half-way is finished. */
export async function promote(run: Run): Promise<void> {
  await withPostDeploy(run, async () => {
    appHosts(run);
    await requireSecrets(run, { accessories: false, builder: false });
    return withLock(run, async () => {
      const facts = await observeHosts(run, appHosts(run));
      const version = canaryVersion(run, facts);
      await ensureImage(run, version);
      await runHook(run, "pre-deploy", version);
      await bootVersion(run, version, { reuse: false, prune: true, promote: true });
      return { run, version };
    });
  });
}

/** @throws UsageError where no version is on trial, or several are */
function canaryVersion(run: Run, facts: ReadonlyMap<string, HostFacts>): string {
  const shared = canariesIn(run, facts);
  for (const { host, container } of shared.filter((canary) => !isUp(canary.container))) {
    const text = `the canary ${container.name} does not run (${container.state}), so a new one is started`;
    run.report({ kind: "warning", host, text });
  }
  const wholly = run.selection.app.flatMap(({ host, roles }) =>
    roles.flatMap((role) => {
      const seen = facts.get(host)!;
      const live = liveVersion(run.config, role, seen);
      const onTrial = live === seen.canaryRelease || isUnfinished(run.config, role, seen);
      return live !== undefined && onTrial ? [{ host, version: live }] : [];
    }),
  );
  const found = [...shared, ...wholly];
  const [version, ...others] = new Set(found.map((canary) => canary.version));
  if (version === undefined) {
    throw new UsageError("There is no canary to promote", {
      hint: "Start one with `mrsk deploy --canary 10%`. What is on the servers tells `mrsk app version`.",
    });
  }
  const where = found.map((canary) => `${canary.host}: ${canary.version}`);
  if (others.length > 0) {
    throw new UsageError(`Several versions are canaries: ${[...new Set(where)].join(", ")}`, {
      hint: "Take one back where it runs: mrsk rollback -h HOST.",
    });
  }
  const given = resolveGivenVersion(run, facts);
  if (given !== undefined && given !== version) {
    throw new UsageError(`The canary is version ${version}, not ${given}`);
  }
  return version;
}
