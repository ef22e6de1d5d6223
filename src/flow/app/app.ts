import { AppCommands, listContainers, listImages } from "../../commands/app.ts";
import type { Body } from "../../script/command.ts";
import { stopSeconds, stopWithoutRestart } from "../../commands/restart-policy.ts";
import { containerPrefix, versionOf } from "../../config/names.ts";
import { attempt, script, type Step, step } from "../../script/script.ts";
import type { Role } from "../../config/config.ts";
import { UsageError } from "../../errors.ts";
import type { Host } from "../../hosts/host.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { canaryOf, containersOf, liveContainer, liveVersion } from "../../plan/containers.ts";
import { type ContainerFact, type HostFacts, isUp } from "../../plan/facts.ts";
import { observeAndResolve } from "../resolve-version.ts";
import { withLock } from "../lock.ts";
import { observeHosts } from "../observe.ts";
import { appHosts, printBlock, type Run } from "../run.ts";

/** Observes the hosts, then runs one script on each host that has steps. */
export async function onObservedRoles(
  run: Run,
  title: string,
  stepsFor: (role: Role, facts: HostFacts) => Promise<readonly Step[]>,
): Promise<void> {
  const facts = await observeHosts(run, appHosts(run));
  await onHosts(targets(run), async ({ host, roles }) => {
    const steps: Step[] = [];
    for (const role of roles) steps.push(...(await stepsFor(role, facts.get(host.name)!)));
    if (steps.length > 0) await host.run(script(title, steps), { signal: run.signal });
  });
}

function targets(run: Run): { name: string; host: Host; roles: readonly Role[] }[] {
  appHosts(run);
  return run.selection.app.map(({ host, roles }) => ({ name: host, host: run.host(host), roles }));
}

/** Prints one block of output per host and role. */
async function printRoleBlocks(run: Run, title: string, bodyFor: (role: Role) => Body): Promise<void> {
  await onHosts(targets(run), async ({ host, roles }) => {
    const steps = roles.map((role) => step(`${title} (${role.name})`, bodyFor(role)));
    const result = await host.run(script(title, steps), { signal: run.signal });
    for (const { id } of steps) printBlock(run, "App", host.name, result.text(id));
  });
}

/** Prints one block of output per host. */
async function printHostBlocks(run: Run, title: string, body: Body): Promise<void> {
  await onHosts(appHosts(run), async (host) =>
    printBlock(run, "App", host.name, (await host.run(script(title, [step(title, body, "block")]))).text("block")),
  );
}

/** Prints docker's list of containers; below it the canary, if there is one. */
export async function appDetails(run: Run): Promise<void> {
  await printRoleBlocks(run, "Details", (role) => new AppCommands(run.config, role).details());
  const facts = await observeHosts(run, appHosts(run));
  for (const { host, roles } of run.selection.app) {
    const canaries = roles.flatMap((role) => canaryText(run, role, facts.get(host)!) ?? []);
    if (canaries.length > 0) printBlock(run, "Canary", host, canaries.join("\n"));
  }
}

export async function appContainers(run: Run): Promise<void> {
  await printHostBlocks(run, "Containers", listContainers(run.config));
}

export async function appImages(run: Run): Promise<void> {
  await printHostBlocks(run, "Images", listImages(run.config));
}

/** `app version`: prints the live version on each host and its canary; one line per role if the roles differ. */
export async function appVersion(run: Run): Promise<void> {
  const facts = await observeHosts(run, appHosts(run));
  for (const { host, roles } of run.selection.app) {
    const versions = roles.map((role) => ({
      role: role.name,
      version: canaryText(run, role, facts.get(host)!) ?? liveVersion(run.config, role, facts.get(host)!) ?? "",
    }));
    const distinct = new Set(versions.map(({ version }) => version));
    const text =
      distinct.size === 1
        ? versions[0]!.version
        : versions.map(({ role, version }) => `${role}: ${version || "none"}`).join("\n");
    printBlock(run, "App", host, text);
  }
}

/** The version that `app boot` starts: `--version`, otherwise the live version, the last live version, or git's. */
export async function versionToBoot(run: Run): Promise<string> {
  if (run.givenVersion !== undefined) return observeAndResolve(run, run.givenVersion);
  const facts = await observeHosts(run, appHosts(run));
  const onHost = run.selection.app.flatMap(({ host, roles }) =>
    roles.map((role) => ({
      where: `${host} (${role.name})`,
      live: liveVersion(run.config, role, facts.get(host)!),
      last: facts.get(host)!.releases.at(-1) ?? newestVersion(run, role, facts.get(host)!),
    })),
  );
  const live = onHost.filter((one) => one.live !== undefined);
  const versions = new Set(live.length > 0 ? live.map((one) => one.live!) : onHost.map(({ last }) => last));
  if (versions.size > 1) {
    const shown = onHost.map((one) => `${one.where}: ${one.live ?? one.last ?? "none"}`).join(", ");
    throw new UsageError(`Which version? ${shown}`, { hint: "Name one: mrsk app boot --version VERSION" });
  }
  return [...versions][0] ?? run.requestedVersion();
}

function newestVersion(run: Run, role: Role, facts: HostFacts): string | undefined {
  const newest = containersOf(run.config, role, facts)[0];
  return newest && versionOf(containerPrefix(run.config, role), newest.name);
}

/** The live version and the canary with its percentage; undefined without a canary. */
function canaryText(run: Run, role: Role, facts: HostFacts): string | undefined {
  const live = liveVersion(run.config, role, facts);
  const canary = canaryOf(run.config, role, facts);
  if (!canary) return live !== undefined && live === facts.canaryRelease ? `${live} (canary)` : undefined;
  const { container, percent } = canary;
  const version = versionOf(containerPrefix(run.config, role), container.name);
  return isUp(container)
    ? `${live} ${100 - percent}%, canary ${version} ${percent}%`
    : `${live ?? "none"}, canary ${version} (${container.state}, no requests)`;
}

/** `app stale-containers`: running containers that get no requests. */
export async function staleContainers(run: Run, { stop }: { stop: boolean }): Promise<void> {
  await withLock(run, () =>
    onObservedRoles(run, "Stop stale containers", async (role, facts) => {
      const stale = staleOf(run, role, facts);
      const prefix = containerPrefix(run.config, role);
      for (const { name } of stale) {
        const what = `container for role ${role.name} with version ${versionOf(prefix, name)}`;
        const text = stop
          ? `Stopping stale ${what}`
          : `Detected stale ${what} (use \`mrsk app stale_containers --stop\` to stop)`;
        printBlock(run, "App", facts.host, text);
      }
      return stop
        ? stale.map(({ id, name }) => attempt(`Stop ${name}`, stopWithoutRestart(id, stopSeconds(run.config, role))))
        : [];
    }),
  );
}

function staleOf(run: Run, role: Role, facts: HostFacts): ContainerFact[] {
  const live = liveContainer(run.config, role, facts);
  const canary = canaryOf(run.config, role, facts);
  const wanted = [live, canary && canary.percent > 0 ? canary.container : undefined];
  return containersOf(run.config, role, facts).filter((container) => isUp(container) && !wanted.includes(container));
}
