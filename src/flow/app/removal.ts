import { AppCommands, removeImages } from "../../commands/app.ts";
import { removeLiveFile } from "../../commands/write-live-file.ts";
import { stopWithoutRestart } from "../../commands/restart-policy.ts";
import { containerName, containerPrefix } from "../../config/names.ts";
import { script, type Step, step } from "../../script/script.ts";
import { UsageError } from "../../errors.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { containersOf } from "../../plan/containers.ts";
import { isUp } from "../../plan/facts.ts";
import { onObservedRoles } from "./app.ts";
import { cleanAssetsSteps } from "./assets.ts";
import { outcome } from "../audit.ts";
import { removeCertificateSteps } from "../certificates/removal.ts";
import { observeAndResolve } from "../resolve-version.ts";
import { withLock } from "../lock.ts";
import { observeHosts } from "../observe.ts";
import { appHosts, type Run } from "../run.ts";
import { stopApp } from "./start-stop.ts";

/** `app remove`: removes every container of the service and destination, then the images that no other service uses. */
export async function removeApp(run: Run): Promise<void> {
  await withLock(run, async () => {
    await stopApp(run);
    await removeAppContainers(run);
    if (run.filters.roles === undefined) await removeFormerRoles(run);
    await removeAppImages(run);
  });
}

export async function removeAppContainers(run: Run): Promise<void> {
  await withLock(run, () =>
    onObservedRoles(run, "Remove the containers", async (role, facts) => {
      const all = containersOf(run.config, role, facts);
      const mine = all.filter((container) => !isUp(container));
      const serves = all.length > mine.length;
      return [
        ...mine.map(({ id, name }) => step(`Remove ${name}`, new AppCommands(run.config, role).remove(id))),
        ...(role.traefik
          ? [step("Remove the live file", removeLiveFile(facts.liveDirectory, containerPrefix(run.config, role)))]
          : []),
        ...(serves ? [] : removeCertificateSteps(run.config, role, facts)),
        await outcome(run, "Removed all app containers", role.name),
        ...cleanAssetsSteps(run.config, role, facts),
      ];
    }),
  );
}

/** Removes containers of roles that deploy.yml no longer has on a host. No other command finds them. */
async function removeFormerRoles(run: Run): Promise<void> {
  const { config } = run;
  const facts = await observeHosts(run, appHosts(run));
  await onHosts(
    run.selection.app.map(({ host, roles }) => ({ name: host, roles: roles.map(({ name }) => name) })),
    async ({ name: host, roles }) => {
      const seen = facts.get(host)!;
      const { containers, liveDirectory } = seen;
      const left = containers.filter(
        ({ destination, role }) => destination === config.destination && !roles.includes(role ?? ""),
      );
      if (left.length === 0) return;
      const steps: Step[] = left.flatMap(({ id, name, role }) => [
        step(`Stop ${name}`, stopWithoutRestart(id, config.stopWaitSeconds)),
        step(`Remove ${name}`, ["docker", "container", "rm", id]),
        ...(role === undefined
          ? []
          : [
              step("Remove the live file", removeLiveFile(liveDirectory, containerPrefix(config, { name: role }))),
              ...removeCertificateSteps(config, { name: role }, seen),
            ]),
      ]);
      await run.host(host).run(script("Remove containers of former roles", steps), { signal: run.signal });
      const names = left.map(({ name }) => name).join(", ");
      run.report({ kind: "note", host, text: `removed ${names}: this host no longer has their roles` });
    },
  );
}

/** `app remove-container VERSION`. @throws UsageError if no host has such a container */
export async function removeAppContainer(run: Run, typed: string): Promise<void> {
  await withLock(run, async () => {
    const version = await observeAndResolve(run, typed);
    let found = false;
    await onObservedRoles(run, "Remove the container", async (role, facts) => {
      const name = containerName(run.config, role, version);
      const container = containersOf(run.config, role, facts).find((one) => one.name === name);
      if (!container) return [];
      found = true;
      return [
        step(`Remove ${name}`, new AppCommands(run.config, role).remove(container.id)),
        await outcome(run, `Removed app container with version ${version}`, role.name),
      ];
    });
    if (!found) {
      throw new UsageError(`No host has a container of version ${version}`, {
        hint: "See `mrsk app containers` for the versions on the hosts.",
      });
    }
  });
}

export async function removeAppImages(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [step("Remove the images", removeImages(run.config)), await outcome(run, "Removed all app images")];
    await onHosts(appHosts(run), (host) => host.run(script("Remove the images", steps)));
  });
}
