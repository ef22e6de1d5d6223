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
import { refuseUnsupported } from "../unsupported.ts";

/** `deploy --canary` and `redeploy --canary`. @param target as typed: a percentage of the requests, or hosts */
export async function deployCanary(
  run: Run,
  target: string,
  { command, ...options }: DeployOptions & { command: "deploy" | "redeploy" },
): Promise<void> {
  const { selection, percent } = canaryTarget(run.config, run.filters, run.selection, target);
  const work = command === "deploy" ? deploy : redeploy;
  const { version } = await work({ ...run, selection }, { ...options, canary: { percent } });
  const hosts = selection.app.map(({ host }) => host).join(", ");
  const what = percent === undefined ? "all requests" : `${percent}% of the requests`;
  run.report({
    kind: "note",
    text: `Version ${version} serves ${what} on ${hosts}. Next: \`mrsk promote\` makes it live everywhere, \`mrsk rollback\` reverts it.`,
  });
}

/** `promote`: makes the canary's version live on all hosts. Finishes an interrupted `promote`. */
export async function promote(run: Run): Promise<void> {
  await withPostDeploy(run, async () => {
    refuseUnsupported(run);
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

/** @throws UsageError without a canary, or with several versions as canaries */
function canaryVersion(run: Run, facts: ReadonlyMap<string, HostFacts>): string {
  const weighted = canariesIn(run, facts);
  for (const { host, container } of weighted.filter((canary) => !isUp(canary.container))) {
    const text = `the canary ${container.name} does not run (${container.state}): mrsk starts a new container`;
    run.report({ kind: "warning", host, text });
  }
  const byHost = run.selection.app.flatMap(({ host, roles }) =>
    roles.flatMap((role) => {
      const seen = facts.get(host)!;
      const live = liveVersion(run.config, role, seen);
      const isCanary = live === seen.canaryRelease || isUnfinished(run.config, role, seen);
      return live !== undefined && isCanary ? [{ host, version: live }] : [];
    }),
  );
  const found = [...weighted, ...byHost];
  const [version, ...others] = new Set(found.map((canary) => canary.version));
  if (version === undefined) {
    throw new UsageError("There is no canary to promote", {
      hint: "Start one with `mrsk deploy --canary 10%`. `mrsk app version` shows the versions on the hosts.",
    });
  }
  const where = found.map((canary) => `${canary.host}: ${canary.version}`);
  if (others.length > 0) {
    throw new UsageError(`Several versions are canaries: ${[...new Set(where)].join(", ")}`, {
      hint: "Roll one back on its host: mrsk rollback -h HOST.",
    });
  }
  const given = resolveGivenVersion(run, facts);
  if (given !== undefined && given !== version) {
    throw new UsageError(`The canary is version ${version}, not ${given}`);
  }
  return version;
}
