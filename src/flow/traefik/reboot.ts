import { sh } from "../../script/command.ts";
import { capture, type Script, script, step } from "../../script/script.ts";
import { joinAsBefore, networkSteps } from "../../commands/network.ts";
import {
  createSecondTraefik,
  createTraefik,
  findTlsPort,
  keepAliveSecondsOf,
  offersLiveFiles,
} from "../../commands/traefik.ts";
import { prepareLiveDirectory, pullTraefik } from "../../commands/traefik-boot.ts";
import { traefikOn } from "../../config/traefik.ts";
import { CLOSING_SECONDS, closingLabels } from "../../traefik/closing-labels.ts";
import { probeRequests, sharedDefinitions } from "../../traefik/probe-requests.ts";
import {
  abandonReplacement,
  createNext,
  recordAnswers,
  replaceTraefik,
  SECOND_PORTS,
  secondName,
  startSecond,
} from "../../traefik/replace.ts";
import { needsLiveFile } from "../../traefik/proxy-labels.ts";
import { partsOf } from "../../traefik/routing.ts";
import { CommandFailedError, UsageError } from "../../errors.ts";
import type { Host } from "../../hosts/host.ts";
import { observeContainers } from "../../observe/containers.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import type { HostFacts, HostContainer } from "../../plan/facts.ts";
import { decideReplacement, isTraefik } from "../../plan/traefik.ts";
import { outcome } from "../audit.ts";
import { runHookOfRequest } from "../hook.ts";
import { runPreConnect, withLock } from "../lock.ts";
import { observeHosts } from "../observe.ts";
import { type Run, traefikHosts } from "../run.ts";
import { environmentSecrets } from "../secrets.ts";
import { refuseDroppedSettings, refuseProblems, traefikLogin } from "./traefik.ts";
import { withTraefikErrors } from "./errors.ts";
import { appsOf, filterOf, repair, observeRepaired } from "./repair.ts";
import { NEXT } from "../../shell/constants.ts";
import { refuseUnsupported } from "../unsupported.ts";

interface RebootOptions {
  /** One host after another. */
  readonly rolling: boolean;
  readonly confirmed: boolean;
}

/**
 * `traefik reboot`: replaces the container. If the login user may change the packet filter, a second Traefik accepts the
 * connections meanwhile, and none is refused. Otherwise it warns beforehand about the downtime.
 */
export async function rebootTraefik(run: Run, { rolling, confirmed }: RebootOptions): Promise<void> {
  refuseUnsupported(run);
  refuseDroppedSettings(run);
  const hosts = traefikHosts(run);
  await runPreConnect(run);
  if (!(await confirmReboot(run, await observeHosts(run, hosts), confirmed))) {
    run.print("Aborted\n");
    return;
  }
  await withLock(run, async () => {
    for (const group of rolling ? hosts.map((host) => [host]) : [hosts]) {
      const names = group.map((host) => host.name).join(",");
      await runHookOfRequest(run, "pre-traefik-reboot", { MRSK_HOSTS: names });
      const facts = await observeRepaired(run, group);
      refuseProblems(run, facts, () => ({ action: "run" }));
      await onHosts(group, (host) => reboot(run, host, facts.get(host.name)!));
      await runHookOfRequest(run, "post-traefik-reboot", { MRSK_HOSTS: names });
    }
  });
}

/** Warns about refused connections, then asks. */
async function confirmReboot(run: Run, facts: ReadonlyMap<string, HostFacts>, confirmed: boolean): Promise<boolean> {
  const costs = [...facts.values()].flatMap((seen) => {
    const { cost } = decideReplacement(traefikOn(run.config, seen.host), seen);
    return cost === undefined ? [] : [{ host: seen.host, cost }];
  });
  for (const { host, cost } of costs) {
    const text = `connections will be refused for about half a second, and pending requests will fail: ${cost}`;
    run.report({ kind: "warning", host, text });
  }
  if (confirmed) return true;
  const refusing = costs.map(({ host }) => host).join(", ");
  const effect =
    costs.length > 0 ? `refusing connections for about half a second on ${refusing}` : "without losing a request";
  return run.confirm(
    `This will replace Traefik's container on ${[...facts.keys()].join(", ")}, ${effect}. Are you sure?`,
  );
}

async function reboot(run: Run, host: Host, facts: HostFacts): Promise<void> {
  const containers = await observeContainers(host);
  refuseWithoutLiveFiles(run, host.name, containers);
  const work = await rebootScript(run, facts, containers);
  const result = await repairOnFailure(run, host, facts, () => host.run(work, { signal: run.signal }));
  const closed = /^closed (\d+)$/m.exec(result.text(REPLACE))?.[1];
  const effect =
    closed === undefined ? "no connections refused" : `ports closed for ${(Number(closed) / 100).toFixed(2)} s`;
  run.report({ kind: "note", host: host.name, text: `Traefik replaced, ${effect}` });
}

/** @throws UsageError if a Traefik without live files would no longer route to some containers */
function refuseWithoutLiveFiles({ config }: Run, host: string, containers: readonly HostContainer[]): void {
  if (offersLiveFiles(config)) return;
  const cut = appsOf(containers).filter((container) => needsLiveFile(partsOf(container, "http")));
  if (cut.length === 0) return;
  const names = cut.map(({ name }) => name).join(", ");
  const message = `${host}: ${names}: proxy.response_timeout needs live files, and traefik.args has its own file provider`;
  throw new UsageError(message, { hint: "Run `mrsk deploy` first: its containers need no live file." });
}

/** If the replacement itself was killed, repairs it in the same run. */
async function repairOnFailure<T>(run: Run, host: Host, facts: HostFacts, work: () => Promise<T>): Promise<T> {
  try {
    return await withTraefikErrors(work);
  } catch (error) {
    if (error instanceof CommandFailedError && error.stepId === REPLACE) await repair(run, host, facts);
    throw error;
  }
}

/** Id of the step. */
const REPLACE = "replace";

async function rebootScript(run: Run, facts: HostFacts, containers: readonly HostContainer[]): Promise<Script> {
  const config = traefikOn(run.config, facts.host);
  const { liveDirectory, traefik } = facts;
  const secrets = await environmentSecrets(run, config.traefik.env, "traefik/env");
  const plan = decideReplacement(config, facts);
  const filter = plan.bridged ? filterOf(facts) : undefined;
  const name = secondName(filter);
  const kept = keepAliveSecondsOf(traefik?.args ?? []);
  const own = containers.filter((other) => isTraefik(other.name));
  const closing = filter && kept === undefined ? closingLabels(appsOf(containers), own) : new Map<string, string>();
  const keepAliveSeconds = kept ?? (closing.size > 0 ? CLOSING_SECONDS : undefined);
  const shared = sharedDefinitions(config.traefik.labels, traefik?.labels ?? new Map());
  const labels = new Map([...shared, ...closing]);
  const answers = capture(
    "old-answers",
    "Record the answers of Traefik",
    recordAnswers(probeRequests(appsOf(containers))),
  );
  const create = createSecondTraefik(config, facts, secrets, { name, labels, publish: SECOND_PORTS });
  const trial = [
    answers,
    step("Start a second Traefik", startSecond(name, create, joinAsBefore(config, name), answers.output)),
  ];
  const next = capture(
    "next",
    "Create the new container",
    createNext(findTlsPort(config), createTraefik(config, facts, secrets, NEXT), joinAsBefore(config, NEXT)),
  );
  const begun = capture("begun", "Begin", sh`echo yes`);
  const replace = replaceTraefik({
    policy: plan.policy,
    filter,
    keepAliveSeconds,
    answers: plan.tried ? answers.output : "",
  });
  const steps = [
    step("Pull Traefik's image", pullTraefik(config, await traefikLogin(run))),
    ...(offersLiveFiles(config) ? [step("Create the directory", prepareLiveDirectory(liveDirectory))] : []),
    ...networkSteps(config),
    next,
    ...(plan.tried ? trial : []),
    begun,
    step("Replace the container", replace, REPLACE),
    await outcome(run, "Rebooted traefik"),
  ];
  return script("Reboot Traefik", steps, abandonReplacement(next.output, begun.output));
}
