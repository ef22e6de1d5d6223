import { AppCommands } from "../../commands/app.ts";
import { anyway, lines, sh } from "../../script/command.ts";
import { waitForRouteGone } from "../../commands/waits.ts";
import { stopSeconds, stopWithoutRestart } from "../../commands/restart-policy.ts";
import { writeLiveFile } from "../../commands/write-live-file.ts";
import { isClosed, isInMaintenance, liveFile, type Routed } from "../../traefik/live-file.ts";
import { containerName, containerPrefix, versionOf } from "../../config/names.ts";
import { attempt, capture, script, type Step, step } from "../../script/script.ts";
import type { Config, Role } from "../../config/config.ts";
import { UsageError } from "../../errors.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { canaryOf, containersOf, liveContainer, liveVersion, stoppedContainer } from "../../plan/containers.ts";
import type { HostPlan, RolePlan } from "../../plan/deploy.ts";
import type { CanaryFact } from "../../plan/facts.ts";
import { type HostFacts, isUp } from "../../plan/facts.ts";
import { outcomes } from "../audit.ts";
import { resolveGivenVersion } from "../resolve-version.ts";
import { withLock } from "../lock.ts";
import { observeHosts } from "../observe.ts";
import { plansFor, refuse } from "../rollout/plans.ts";
import { rollOut } from "../rollout/roll-out.ts";
import { appHosts, type Run } from "../run.ts";
import { appSecrets } from "../secrets.ts";
import { observeRepaired } from "../traefik/repair.ts";
import { drainSteps, hasLiveFile, liveRoute } from "./live-route.ts";

/**
 * `app start`: starts the container of each role that was live last, or that of `--version`, as a deploy does: it gets no
 * request before it is healthy, and if one fails, all are stopped again. Roles that are running stay as they are.
 */
export async function startApp(run: Run): Promise<void> {
  await withLock(run, async () => {
    const facts = await observeRepaired(run, appHosts(run));
    const given = resolveGivenVersion(run, facts);
    const versionOn = (seen: HostFacts, role: Role) => versionToStart(run.config, role, seen, given);
    const all = plansFor(run, facts, { versionOn, reuse: true });
    const plans = all
      .map((plan) => ({ ...plan, roles: plan.roles.filter((role) => !isServed(run, plan, role)) }))
      .filter(({ roles }) => roles.length > 0);
    const canaries = given === undefined ? all.flatMap((plan) => stoppedCanaries(run, plan)) : [];
    if (plans.length === 0 && canaries.length === 0)
      return run.report({ kind: "note", text: "The app is already running" });
    refuse(plans);
    if (plans.length > 0) {
      const roles = plans.flatMap((plan) => plan.roles.map(({ role }) => role));
      await rollOut(run, plans, await appSecrets(run, roles), { version: undefined, prune: false, revert: true });
    }
    await startCanaries(run, canaries);
  });
}

interface StoppedCanary {
  readonly name: string;
  readonly facts: HostFacts;
  readonly role: Role;
  readonly canary: CanaryFact;
  /** The container that gets the other requests. */
  readonly live: Routed;
}

/** Canaries that were stopped with the app, or have crashed. */
function stoppedCanaries(run: Run, { host, facts, roles }: HostPlan): StoppedCanary[] {
  return roles.flatMap(({ role, next }) => {
    const canary = canaryOf(run.config, role, facts);
    if (!canary || isUp(canary.container) || canary.container === next.kept) return [];
    return [{ name: host, facts, role, canary, live: next }];
  });
}

/** Starts each canary, and gives it its percentage of the requests again. */
async function startCanaries(run: Run, canaries: readonly StoppedCanary[]): Promise<void> {
  await onHosts(canaries, async ({ name, facts, role, canary, live }) => {
    const file = containerPrefix(run.config, role);
    const maintenance = isInMaintenance(facts.liveFiles.get(file) ?? "");
    const text = liveFile({ name: file, live, canary, maintenance });
    const start = new AppCommands(run.config, role).start(canary.container.name);
    await run
      .host(name)
      .run(
        script("Start the canary", [
          step(`Start the canary ${canary.container.name}`, start),
          step(`Weight the requests again (${role.name})`, writeLiveFile(facts.liveDirectory, file, text)),
        ]),
      );
  });
}

/** Whether the role is running and gets requests. After an interrupted stop it may run without. */
function isServed(run: Run, { facts }: HostPlan, { role, old }: RolePlan): boolean {
  return old !== undefined && !isClosed(facts.liveFiles.get(containerPrefix(run.config, role)) ?? "");
}

/** @throws UsageError if there is no container to start, or another version is running */
function versionToStart(config: Config, role: Role, facts: HostFacts, given: string | undefined): string {
  const running = liveVersion(config, role, facts);
  if (running !== undefined && given !== undefined && running !== given) {
    throw new UsageError(`${facts.host}: role ${role.name} runs version ${running}`, {
      hint: `To change the version: mrsk rollback ${given}`,
    });
  }
  if (running !== undefined) return running;
  const mine = containersOf(config, role, facts);
  const found =
    given === undefined
      ? (stoppedContainer(config, role, facts) ?? mine.find(({ name }) => !name.includes("_replaced_")))
      : mine.find(({ name }) => name === containerName(config, role, given));
  if (!found) {
    throw new UsageError(`${facts.host}: role ${role.name} has no container to start`, { hint: "Run `mrsk deploy`." });
  }
  return versionOf(containerPrefix(config, role), found.name)!;
}

/** `app stop`: drains and stops every running container of the selected roles. */
export async function stopApp(run: Run): Promise<void> {
  await withLock(run, async () => {
    const facts = await observeHosts(run, appHosts(run));
    await onHosts(
      run.selection.app.map(({ host, roles }) => ({ name: host, roles })),
      async ({ name, roles }) => {
        const parts = roles.flatMap((role) => stopParts(run, role, facts.get(name)!));
        if (parts.length === 0) return;
        const entries = parts.map(({ role }) => ["Stopped app", role.name] as const);
        const stopped = capture("all-stopped", "All stopped", sh`echo yes`);
        const steps = [
          ...parts.flatMap(({ close }) => close),
          ...parts.flatMap(({ stop }) => stop),
          ...parts.flatMap(({ finalize }) => finalize),
          await outcomes(run, entries),
          stopped,
        ];
        // After an interruption the containers that still run get requests again.
        const reopen = lines(sh`:`, ...parts.flatMap(({ finalize }) => finalize.map(({ body }) => anyway(body))));
        const cleanup = sh`[ ${stopped.output} = yes ] || { ${reopen}; }`;
        await run.host(name).run(script("Stop the app", steps, cleanup), { signal: run.signal });
      },
    );
  });
}

interface StopParts {
  readonly role: Role;
  readonly close: readonly Step[];
  readonly stop: readonly Step[];
  readonly finalize: readonly Step[];
}

function stopParts(run: Run, role: Role, facts: HostFacts): StopParts[] {
  const { config } = run;
  const running = containersOf(config, role, facts).filter(isUp);
  const live = liveContainer(config, role, facts);
  if (!live) return [];
  const stop = running.map((container) =>
    step(`Stop ${container.name}`, stopWithoutRestart(container.id, stopSeconds(config, role))),
  );
  if (!hasLiveFile(role, facts)) return [{ role, close: [], stop, finalize: [] }];
  const route = liveRoute(run, role, facts, live);
  return [
    {
      role,
      close: [
        attempt(`Close the route (${role.name})`, route.writeAndWait({ closed: true })),
        ...drainSteps(role, facts, running, config.drainTimeoutSeconds),
      ],
      stop: [
        ...stop,
        ...(running.length > 0
          ? [attempt(`Wait until Traefik drops the route (${role.name})`, waitForRouteGone(route.probe))]
          : []),
      ],
      // The file names the stopped container: Traefik answers 503, and `app start` finds the container.
      finalize: [step(`Write the live file (${role.name})`, route.write())],
    },
  ];
}
