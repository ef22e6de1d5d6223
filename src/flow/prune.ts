import { pruneImages as pruneImagesCommand, pruneProbes, removeContainers } from "../commands/prune.ts";
import { attempt, counted, script, step } from "../script/script.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { containersOf } from "../plan/containers.ts";
import { cleanAssetsSteps } from "./app/assets.ts";
import { outcome } from "./audit.ts";
import { withLock } from "./lock.ts";
import { observeHosts } from "./observe.ts";
import { appHosts, type Run } from "./run.ts";

export async function pruneAll(run: Run, retain: number | undefined): Promise<void> {
  await withLock(run, async () => {
    await pruneContainers(run, retain);
    await pruneImages(run);
  });
}

/** Removes the stopped containers of each role, except the newest `retain`. */
export async function pruneContainers(run: Run, retain: number | undefined): Promise<void> {
  await withLock(run, async () => {
    const facts = await observeHosts(run, appHosts(run));
    const line = await outcome(run, "Pruned containers");
    await onHosts(
      run.selection.app.map(({ host, roles }) => ({ name: host, roles })),
      async ({ name, roles }) => {
        const surplus = roles.flatMap((role) =>
          containersOf(run.config, role, facts.get(name)!)
            .filter(({ state }) => STOPPED.includes(state))
            .slice(retain ?? run.config.retainContainers),
        );
        const steps = [
          counted("Prune containers", removeContainers(surplus.map(({ id }) => id))),
          line,
          attempt("Prune probe containers", pruneProbes(run.config)),
          ...roles.flatMap((role) => cleanAssetsSteps(run.config, role, facts.get(name)!)),
        ];
        await run.host(name).run(script("Prune containers", steps));
        if (surplus.length > 0) {
          const text = `removed ${surplus.map((container) => container.name).join(", ")}`;
          run.report({ kind: "note", host: name, text });
        }
      },
    );
  });
}

/** States in which docker removes a container. */
const STOPPED: readonly string[] = ["created", "exited", "dead"];

export async function pruneImages(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [step("Prune images", pruneImagesCommand(run.config)), await outcome(run, "Pruned images")];
    await onHosts(appHosts(run), (host) => host.run(script("Prune images", steps)));
  });
}
