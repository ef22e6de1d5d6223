import { type Body } from "../../script/command.ts";
import { ensureNetwork, joinNetworks, networkSteps } from "../../commands/network.ts";
import { traefikOn } from "../../config/traefik.ts";
import { counted, script, step } from "../../script/script.ts";
import {
  startTraefikContainer,
  stopTraefikContainer,
  traefikArguments,
  traefikStatus,
} from "../../commands/traefik.ts";
import { ensureTraefikImage, startOrRunTraefik } from "../../commands/traefik-boot.ts";
import { version3Problems } from "../../traefik/version3-problems.ts";
import { ConfigError, ExitCode, MrskError } from "../../errors.ts";
import type { Host } from "../../hosts/host.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { networkToJoin, routesToAccessory } from "../../plan/deploy.ts";
import type { HostFacts } from "../../plan/facts.ts";
import { joinObstacles } from "../../plan/obstacles.ts";
import { decideTraefik, type TraefikPlan, traefikProblems } from "../../plan/traefik.ts";
import { outcome } from "../audit.ts";
import { withLock } from "../lock.ts";
import { loginStep } from "../registry.ts";
import { begin, printBlock, type Run, traefikHosts } from "../run.ts";
import { environmentSecrets } from "../secrets.ts";
import { withTraefikErrors } from "./errors.ts";
import { observeRepaired } from "./repair.ts";
import { refuseUnsupported } from "../unsupported.ts";
import { TRAEFIK } from "../../shell/constants.ts";

/** Checks for settings with which the configured Traefik would not start. @throws ConfigError before any change */
export function refuseDroppedSettings(run: Run): void {
  const problems = version3Problems(run.config);
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `${run.config.file}: ${problem}`));
}

/** The login for Traefik's image; undefined if the image is not from the configured registry. */
export async function traefikLogin(run: Run): Promise<Body | undefined> {
  const { server } = run.config.registry;
  if (server === undefined || !run.config.traefik.image.startsWith(`${server}/`)) return undefined;
  return (await loginStep(run)).body;
}

/** Checks all hosts before the first is changed. @throws MrskError naming each problem */
export function refuseProblems(
  run: Run,
  facts: ReadonlyMap<string, HostFacts>,
  planOf: (seen: HostFacts) => TraefikPlan,
  problemsOf: (seen: HostFacts) => readonly string[] = () => [],
): void {
  const found = [...facts.values()].flatMap((seen) => {
    const config = traefikOn(run.config, seen.host);
    const plan = planOf(seen);
    const join = routesToAccessory(config, seen.host) ? networkToJoin(config, seen, plan) : undefined;
    const problems = [
      ...traefikProblems(config, plan, seen),
      ...joinObstacles({ traefik: plan, facts: seen, join }),
      ...problemsOf(seen),
    ];
    return problems.map((text) => `${seen.host}: ${text}`);
  });
  if (found.length > 0) throw new MrskError(ExitCode.remote, found.join("\n"));
}

/** Reports a running Traefik that differs from the configuration. It is not changed. */
export function noteDifference(run: Run, host: string, plan: TraefikPlan): void {
  if (plan.action !== "keep" || plan.differs === undefined) return;
  const text = `Traefik is running, but ${plan.differs}. \`mrsk traefik reboot\` replaces it.`;
  run.report({ kind: "note", host, text });
}

/** Absent: run it. Stopped: start it. Running: keep it, and report how it differs. */
export async function bootTraefik(run: Run): Promise<void> {
  refuseUnsupported(run);
  refuseDroppedSettings(run);
  await withLock(run, async () => {
    const plans = await ensureTraefik(run, traefikHosts(run));
    for (const [host, plan] of plans) {
      if (plan.action !== "keep" || plan.differs !== undefined) continue;
      run.report({ kind: "note", host, text: "Traefik is already running" });
    }
  });
}

/**
 * Makes Traefik run on the hosts, on the network of the accessories that it routes to.
 * @returns the plan of each host
 * @throws MrskError with every problem, before any change
 */
export async function ensureTraefik(
  run: Run,
  hosts: readonly Host[],
  problemsOf: (facts: HostFacts) => readonly string[] = () => [],
): Promise<ReadonlyMap<string, TraefikPlan>> {
  const facts = await observeRepaired(run, hosts);
  const planOf = (seen: HostFacts) => {
    const config = traefikOn(run.config, seen.host);
    return decideTraefik(config, traefikArguments(config), seen);
  };
  refuseProblems(run, facts, planOf, problemsOf);
  await onHosts(hosts, async (host) => {
    const seen = facts.get(host.name)!;
    await bootOn(run, host, seen, planOf(seen));
  });
  return new Map([...facts].map(([host, seen]) => [host, planOf(seen)]));
}

/** Makes Traefik run on hosts with accessories alone. The other hosts get it together with the app. */
export async function ensureTraefikOfAccessories(run: Run): Promise<void> {
  const app = run.selection.app.map(({ host }) => host);
  const others = run.selection.traefik.filter((host) => !app.includes(host));
  if (others.length === 0) return;
  begin(run, "Ensure Traefik is running for accessories...");
  await ensureTraefik(
    run,
    others.map((host) => run.host(host)),
  );
}

async function bootOn(run: Run, host: Host, facts: HostFacts, plan: TraefikPlan): Promise<void> {
  const config = traefikOn(run.config, host.name);
  noteDifference(run, host.name, plan);
  const network = routesToAccessory(config, host.name) ? networkToJoin(config, facts, plan) : undefined;
  const join =
    network === undefined
      ? []
      : [
          step("Create the network", ensureNetwork(network)),
          step(`Put Traefik on the network ${network}`, joinNetworks(TRAEFIK, network)),
        ];
  if (plan.action === "keep") {
    if (join.length > 0) await host.run(script("Connect Traefik", join));
    return;
  }
  const secrets = await environmentSecrets(run, config.traefik.env, "traefik/env");
  const steps =
    plan.action === "start"
      ? [...join, step("Start Traefik", startTraefikContainer())]
      : [
          step("Pull Traefik's image", ensureTraefikImage(config, await traefikLogin(run))),
          ...networkSteps(config),
          step("Start Traefik", startOrRunTraefik(config, facts, secrets)),
        ];
  await withTraefikErrors(() => host.run(script("Boot Traefik", steps)));
  const text = plan.action === "start" ? "Traefik was stopped, and was started" : "Traefik started";
  run.report({ kind: "note", host: host.name, text });
}

export async function startTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    const hosts = traefikHosts(run);
    await observeRepaired(run, hosts);
    const steps = [step("Start Traefik", startTraefikContainer()), await outcome(run, "Started traefik")];
    await onHosts(hosts, (host) => withTraefikErrors(() => host.run(script("Start Traefik", steps))));
  });
}

/** A stopped or absent Traefik is only a warning. */
export async function stopTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [counted("Stop Traefik", stopTraefikContainer(), "stop"), await outcome(run, "Stopped traefik")];
    await onHosts(traefikHosts(run), async (host) => {
      const { steps: done } = await host.run(script("Stop Traefik", steps));
      const stop = done.find(({ id }) => id === "stop")!;
      if (stop.status !== 0) {
        run.report({ kind: "warning", host: host.name, text: `Traefik was not stopped: ${stop.stderr.trim()}` });
      }
    });
  });
}

export async function restartTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    await stopTraefik(run);
    await startTraefik(run);
  });
}

export async function traefikDetails(run: Run): Promise<void> {
  const work = script("Traefik", [step("Traefik", traefikStatus(), "status")]);
  await onHosts(traefikHosts(run), async (host) =>
    printBlock(run, "Traefik", host.name, (await host.run(work)).text("status")),
  );
}
