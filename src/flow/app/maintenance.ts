import { isInMaintenance } from "../../traefik/live-file.ts";
import { containerPrefix } from "../../config/names.ts";
import { attempt, script, type Step, step } from "../../script/script.ts";
import type { Role } from "../../config/config.ts";
import { ExitCode, MrskError, UsageError } from "../../errors.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { containersOf, lastLiveContainer, liveContainer } from "../../plan/containers.ts";
import { type ContainerFact, type HostFacts, isUp } from "../../plan/facts.ts";
import { outcomes } from "../audit.ts";
import { withLock } from "../lock.ts";
import { appHosts, begin, type Run } from "../run.ts";
import { observeRepaired } from "../traefik/repair.ts";
import { drainSteps, hasLiveFile, liveRoute } from "./live-route.ts";

export interface MaintenanceChoice {
  /** Longest wait for requests in progress; undefined: `drain_timeout`. */
  readonly drainTimeout?: number;
  readonly message?: string;
}

/**
 * `app maintenance`: new requests get 503, while the containers continue. Requests in progress finish. Remains through
 * deploys, and through stops and starts of app and Traefik.
 */
export async function startMaintenance(run: Run, { drainTimeout, message }: MaintenanceChoice): Promise<void> {
  if (message !== undefined) {
    run.report({ kind: "warning", text: "--message has no effect: Traefik answers 503 without a page" });
  }
  const limitSeconds = drainTimeout ?? run.config.drainTimeoutSeconds;
  await changeRoutes(run, "Started maintenance", true, (role, facts) => {
    const running = containersOf(run.config, role, facts).filter(isUp);
    return drainSteps(role, facts, running, limitSeconds);
  });
}

/** `app live`: ends the maintenance. */
export async function endMaintenance(run: Run): Promise<void> {
  await changeRoutes(run, "Ended maintenance", false, () => []);
}

/** Whether the role is in maintenance on the host. */
export function isRoleInMaintenance(run: Run, role: Role, facts: HostFacts): boolean {
  return isInMaintenance(facts.liveFiles.get(containerPrefix(run.config, role)) ?? "");
}

/** Writes the live file of each role behind Traefik, on all hosts or, if one cannot have it, on none. */
async function changeRoutes(
  run: Run,
  line: string,
  maintenance: boolean,
  after: (role: Role, facts: HostFacts) => Step[],
): Promise<void> {
  await withLock(run, async () => {
    const facts = await observeRepaired(run, appHosts(run));
    const places = run.selection.app
      .map(({ host, roles }) => ({
        name: host,
        roles: roles.filter(({ traefik }) => traefik),
        facts: facts.get(host)!,
      }))
      .filter(({ roles }) => roles.length > 0);
    if (places.length === 0) throw new UsageError("Traefik routes to no role of the selected hosts");
    refuse(run, places);
    begin(run, maintenance ? "Answer 503 to new requests..." : "Route the requests to the app again...");
    await onHosts(places, async (place) => {
      const changed = place.roles.map((role) => routeSteps(run, role, place.facts, maintenance));
      const audit = place.roles.map((role) => [line, role.name] as const);
      const steps = [
        ...changed.flat(),
        ...place.roles.flatMap((role) => after(role, place.facts)),
        await outcomes(run, audit),
      ];
      const { steps: results } = await run.host(place.name).run(script(line, steps), { signal: run.signal });
      for (const { name, stdout } of results.filter(
        (result) => result.name.startsWith("Drain ") && result.stdout.trim(),
      ))
        run.report({ kind: "note", host: place.name, text: `${name}: ${stdout.trim()}` });
    });
  });
}

interface Place {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly facts: HostFacts;
}

/** @throws MrskError with a line for each role whose requests mrsk cannot direct */
function refuse(run: Run, places: readonly Place[]): void {
  const problems = places.flatMap(({ name, roles, facts }) =>
    roles.flatMap((role) => {
      if (!routedContainer(run, role, facts))
        return [`${name}: role ${role.name} has no container. Run \`mrsk deploy\` first`];
      if (hasLiveFile(role, facts)) return [];
      const reason = facts.liveDirectoryWritable
        ? "its Traefik reads no live files. Run `mrsk traefik reboot` first"
        : `${facts.user} may not write the live files in ${facts.liveDirectory}`;
      return [`${name}: role ${role.name}: ${reason}`];
    }),
  );
  if (problems.length > 0) throw new MrskError(ExitCode.remote, problems.join("\n"));
}

/** The container that gets the requests, or would get them if it ran. */
function routedContainer({ config }: Run, role: Role, facts: HostFacts): ContainerFact | undefined {
  return liveContainer(config, role, facts) ?? lastLiveContainer(config, role, facts);
}

function routeSteps(run: Run, role: Role, facts: HostFacts, maintenance: boolean): Step[] {
  const live = routedContainer(run, role, facts)!;
  const route = liveRoute(run, role, facts, live);
  const settings = { maintenance };
  return [
    // A stopped container answers no probe, and its app answers 503 in any case.
    ...(isUp(live) ? [attempt(`Change the route (${role.name})`, route.writeAndWait(settings))] : []),
    step(`Write the live file (${role.name})`, route.write(settings)),
  ];
}
