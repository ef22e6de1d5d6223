import { AccessoryCommands } from "../commands/accessory.ts";
import { type Body, sh } from "../script/command.ts";
import { readDriver } from "../commands/logging.ts";
import { ensureNetwork } from "../commands/network.ts";
import { capture, counted, type Script, script, type Step, step } from "../script/script.ts";
import type { Accessory } from "../config/config.ts";
import { CommandFailedError, UnhealthyError, UsageError } from "../errors.ts";
import { traefikOn } from "../config/traefik.ts";
import { traefikArguments } from "../commands/traefik.ts";
import { ExitStatus } from "../shell/exit-status.ts";
import { admission } from "../traefik/admission.ts";
import { accessoryLabels } from "../traefik/labels.ts";
import { ensureTraefik, refuseDroppedSettings } from "./traefik/traefik.ts";
import type { Host } from "../hosts/host.ts";
import type { ScriptResult } from "../script/result.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { accessoryHosts, findAccessory } from "../plan/select.ts";
import { checkFiles, uploadSteps } from "./accessory-files.ts";
import { outcome } from "./audit.ts";
import { withLock } from "./lock.ts";
import { loginStep } from "./registry.ts";
import { begin, nothingSelected, printBlock, type Run } from "./run.ts";
import { accessorySecrets } from "./secrets.ts";
import { refuseUnsupported } from "./unsupported.ts";

/** The same steps for every host, or those of each host. */
type Steps = readonly Step[] | ((host: string) => readonly Step[]);

type StepsFor = (commands: AccessoryCommands, accessory: Accessory) => Promise<Steps>;

/**
 * The accessory with that name; for `all`, each accessory that has a selected host.
 * @throws UsageError for an unknown name, and if none has a selected host
 */
function selectedAccessories(run: Run, name: string): readonly Accessory[] {
  const candidates = name === "all" ? run.config.accessories : [findAccessory(run.config, name)];
  const selected = candidates.filter((accessory) => accessoryHosts(accessory, run.filters).length > 0);
  if (selected.length === 0 && candidates.length > 0) {
    const what = name === "all" ? "an accessory" : `the accessory ${name}`;
    throw nothingSelected(
      what,
      candidates.flatMap(({ hosts }) => hosts),
    );
  }
  return selected;
}

/** Whether any accessory has a selected host. */
export function hasAccessories(run: Run): boolean {
  return run.config.accessories.some((accessory) => accessoryHosts(accessory, run.filters).length > 0);
}

/** Runs a script on each host of each accessory: one accessory after another, its hosts concurrently. */
async function onAccessories(
  run: Run,
  name: string,
  title: string,
  stepsFor: StepsFor,
  then: (host: Host, result: ScriptResult, accessory: Accessory) => void = () => {},
): Promise<void> {
  for (const accessory of selectedAccessories(run, name)) {
    const steps = await stepsFor(new AccessoryCommands(run.config, accessory), accessory);
    const hosts = accessoryHosts(accessory, run.filters).map((host) => run.host(host));
    await onHosts(hosts, async (host) => {
      const work: Script = script(title, typeof steps === "function" ? steps(host.name) : steps);
      then(host, await runOn(host, work, run.signal, accessory), accessory);
    });
  }
}

/** @throws UnhealthyError if the accessory did not become healthy */
async function runOn(host: Host, work: Script, signal: AbortSignal, { name }: Accessory): Promise<ScriptResult> {
  try {
    return await host.run(work, { signal });
  } catch (error) {
    if (!(error instanceof CommandFailedError) || error.status !== ExitStatus.NOT_HEALTHY) throw error;
    const text = `${host.name}: the accessory ${name} did not become healthy\n${error.output}`;
    throw new UnhealthyError(text, { cause: error });
  }
}

/** Starts the accessory on each host where it is not running, after Traefik if that routes to it. */
export async function bootAccessory(run: Run, name: string): Promise<void> {
  refuseUnsupported(run);
  checkFiles(run, selectedAccessories(run, name));
  await accessorySecrets(run, selectedAccessories(run, name));
  await withLock(run, async () => {
    await ensureTraefikFor(run, selectedAccessories(run, name));
    await bootContainers(run, name);
  });
}

async function bootContainers(run: Run, name: string): Promise<void> {
  for (const accessory of selectedAccessories(run, name)) {
    begin(run, `Boot accessory ${accessory.name}...`);
    await onAccessories(run, accessory.name, "Boot the accessory", bootSteps(run), (host, result) => {
      const running = result.text("state") === "running";
      const text = running ? `${accessory.service} is already running` : `started ${accessory.service}`;
      run.report({ kind: "note", host: host.name, text });
      if (accessory.proxy) noteLabels(run, host.name, accessory, result.text("labels"));
    });
  }
}

/** @throws MrskError if Traefik cannot route to one of the accessories, before any change */
async function ensureTraefikFor(run: Run, accessories: readonly Accessory[]): Promise<void> {
  const routed = accessories.filter(({ proxy }) => proxy);
  const names = [...new Set(routed.flatMap((accessory) => accessoryHosts(accessory, run.filters)))];
  if (names.length === 0) return;
  refuseDroppedSettings(run);
  begin(run, "Ensure Traefik is running...");
  await ensureTraefik(
    run,
    names.map((name) => run.host(name)),
    (facts) => {
      const args = facts.traefik?.args ?? traefikArguments(traefikOn(run.config, facts.host));
      const here = routed.filter(({ hosts }) => hosts.includes(facts.host));
      return [
        ...(facts.canProbe
          ? []
          : ["the host has neither curl nor wget to check an accessory: run `mrsk server bootstrap` first"]),
        ...here.flatMap((accessory) => {
          const { refused } = admission(args, accessoryLabels(run.config, accessory));
          return refused === undefined
            ? []
            : [`Traefik would not route to the accessory ${accessory.name}: ${refused}`];
        }),
      ];
    },
  );
}

/** Reports a container from before a change of the section `proxy`. */
function noteLabels(run: Run, host: string, accessory: Accessory, printed: string): void {
  if (printed === "") return;
  const present = JSON.parse(printed) as Record<string, string> | null;
  const wanted = accessoryLabels(run.config, accessory);
  const differing = [...accessoryLabels(run.config, { ...accessory, labels: new Map() })].filter(
    ([key, value]) => wanted.get(key) === value && present?.[key] !== value,
  );
  if (differing.length === 0) return;
  const text = `${accessory.service} runs with other settings of proxy. \`mrsk accessory reboot ${accessory.name}\` replaces it.`;
  run.report({ kind: "note", host, text });
}

function bootSteps(run: Run): StepsFor {
  return async (commands, accessory) => {
    const secrets = await accessorySecrets(run, [accessory]);
    const uploads = await uploadSteps(run, commands, accessory);
    const line = await outcome(run, `Booted ${accessory.name} accessory`);
    const state = capture("state", "State", commands.state());
    const absent = (body: Body) => sh`[ -n ${state.output} ] || { ${body}
}`;
    const logDriver = readDriver(absent);
    const { proxy } = accessory;
    const before = [
      state,
      ...(proxy ? [step("Labels", commands.labels(), "labels")] : []),
      ...networkOf(run, accessory).map((name) => step("Create the network", absent(ensureNetwork(name)))),
      step("Create directories", absent(commands.createDirectories())),
      ...uploads.map((upload) => ({ ...upload, body: absent(upload.body) })),
      ...(await loginSteps(run, accessory)),
      logDriver,
    ];
    return (host) => [
      ...before,
      step(
        `Start ${accessory.service}`,
        sh`case ${state.output} in
"") ${commands.run("${PWD}", secrets, { engine: logDriver.output, host })} ;;
running|restarting) ;;
*) ${commands.start()} ;;
esac`,
      ),
      ...(proxy ? [step("Wait until healthy", commands.waitForAnswer(proxy))] : []),
      { ...line, body: sh`case ${state.output} in running|restarting) ;; *) ${line.body} ;; esac` },
    ];
  };
}

/** Empty if the accessory uses another container's network: `container:NAME`. */
function networkOf(run: Run, accessory: Accessory): string[] {
  const name = accessory.network ?? run.config.network;
  return name === undefined || name.includes(":") ? [] : [name];
}

/** A login for an image of the accessory's registry, or of the app's. */
async function loginSteps(run: Run, { name, image, registry }: Accessory): Promise<Step[]> {
  if (registry) return [await loginStep(run, registry, `accessories/${name}/registry`)];
  const { server } = run.config.registry;
  return server !== undefined && image.startsWith(`${server}/`) ? [await loginStep(run)] : [];
}

export async function uploadAccessory(run: Run, name: string): Promise<void> {
  checkFiles(run, selectedAccessories(run, name));
  await withLock(run, () =>
    onAccessories(run, name, "Upload", async (commands, accessory) => uploadSteps(run, commands, accessory)),
  );
}

export async function createAccessoryDirectories(run: Run, name: string): Promise<void> {
  await withLock(run, () =>
    onAccessories(run, name, "Create directories", async (commands) => [
      step("Create directories", commands.createDirectories()),
    ]),
  );
}

/** Resolves secrets, starts Traefik, logs in and pulls before the stop: a failure does not leave the accessory stopped. */
export async function rebootAccessory(run: Run, name: string): Promise<void> {
  refuseUnsupported(run);
  checkFiles(run, selectedAccessories(run, name));
  await accessorySecrets(run, selectedAccessories(run, name));
  await withLock(run, async () => {
    await ensureTraefikFor(run, selectedAccessories(run, name));
    await onAccessories(run, name, "Pull the image", async (commands, accessory) => [
      ...(await loginSteps(run, accessory)),
      step("Pull the image", commands.pull()),
    ]);
    await stopAccessory(run, name);
    await removeAccessoryContainer(run, name);
    await bootContainers(run, name);
  });
}

export async function startAccessory(run: Run, name: string): Promise<void> {
  await withLock(run, () =>
    onAccessories(run, name, "Start", async (commands, accessory) => [
      step(`Start ${accessory.service}`, commands.start()),
      await outcome(run, `Started ${accessory.name} accessory`),
    ]),
  );
}

export async function stopAccessory(run: Run, name: string): Promise<void> {
  await withLock(run, () =>
    onAccessories(run, name, "Stop", async (commands, accessory) => [
      counted(`Stop ${accessory.service}`, commands.stop()),
      await outcome(run, `Stopped ${accessory.name} accessory`),
    ]),
  );
}

export async function restartAccessory(run: Run, name: string): Promise<void> {
  await withLock(run, async () => {
    await stopAccessory(run, name);
    await startAccessory(run, name);
  });
}

/** Prints the output of `docker ps` under the host's header. */
export async function accessoryDetails(run: Run, name: string): Promise<void> {
  const details: StepsFor = async (commands) => [step("Details", commands.details(), "details")];
  await onAccessories(run, name, "Details", details, (host, result, accessory) =>
    printBlock(run, `Accessory ${accessory.name}`, host.name, result.text("details")),
  );
}

export async function removeAccessory(run: Run, name: string, { confirmed }: { confirmed: boolean }): Promise<void> {
  const names = selectedAccessories(run, name).map((accessory) => accessory.name);
  if (names.length === 0) return run.print("There are no accessories\n");
  const question = `This will remove all containers, images and data directories for ${names.join(", ")}. Are you sure?`;
  if (!confirmed && !(await run.confirm(question))) {
    run.print("Aborted\n");
    return;
  }
  await withLock(run, async () => {
    await stopAccessory(run, name);
    await removeAccessoryContainer(run, name);
    await removeAccessoryDirectory(run, name);
    await removeAccessoryImage(run, name);
  });
}

export async function removeAccessoryContainer(run: Run, name: string): Promise<void> {
  await withLock(run, () =>
    onAccessories(run, name, "Remove the container", async (commands, accessory) => [
      step("Remove the container", commands.removeContainer()),
      await outcome(run, `Remove ${accessory.name} accessory container`),
    ]),
  );
}

export async function removeAccessoryImage(run: Run, name: string): Promise<void> {
  await withLock(run, () =>
    onAccessories(run, name, "Remove the image", async (commands, accessory) => [
      counted("Remove the image", commands.removeImage()),
      await outcome(run, `Removed ${accessory.name} accessory image`),
    ]),
  );
}

export async function removeAccessoryDirectory(run: Run, name: string): Promise<void> {
  await withLock(run, () =>
    onAccessories(run, name, "Remove the directory", async (commands) => [
      step("Remove the directory", commands.removeDirectory()),
    ]),
  );
}

/** For commands that act on one accessory, not on `all`. */
export function oneAccessory(run: Run, name: string): Accessory {
  const [accessory, ...others] = selectedAccessories(run, name);
  if (!accessory || others.length > 0) throw new UsageError("Name one accessory");
  return accessory;
}
