import { sh } from "../script/command.ts";
import { script, step } from "../script/script.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { accessoryHosts, findAccessory, select } from "../plan/select.ts";
import { hasAccessories, rebootAccessory } from "./accessory.ts";
import { versionToBoot } from "./app/app.ts";
import { bootVersion } from "./rollout/boot.ts";
import { runHook } from "./hook.ts";
import { ensureImage } from "./image.ts";
import { withLock } from "./lock.ts";
import { begin, type Run, traefikHosts } from "./run.ts";
import { ensureTraefikOfAccessories } from "./traefik/traefik.ts";
import { TRAEFIK } from "../shell/constants.ts";

interface Choice {
  readonly rolling: boolean;
  readonly confirmed: boolean;
}

/** The proxy of Kamal 2, which listens on port 80. */
const KAMAL_PROXY = "kamal-proxy";

/** `downgrade`: moves servers from Kamal 2 to Traefik, accessories included. */
export async function downgrade(run: Run, choice: Choice): Promise<void> {
  if (!(await confirmed(run, choice, "This will replace kamal-proxy with Traefik and reboot all accessories."))) return;
  await withLock(run, async () => {
    if (run.selection.traefik.length > 0) await downgradeTraefik(run, { ...choice, confirmed: true });
    if (hasAccessories(run)) await downgradeAccessory(run, "all", { ...choice, confirmed: true });
  });
}

/**
 * `traefik downgrade`: stops kamal-proxy, then starts Traefik and new containers of the live version. If that fails,
 * starts kamal-proxy again. Nothing serves requests on these hosts in the meantime.
 */
export async function downgradeTraefik(run: Run, choice: Choice): Promise<void> {
  if (!(await confirmed(run, choice, "This will replace kamal-proxy with Traefik."))) return;
  await withLock(run, async () => {
    const names = traefikHosts(run).map(({ name }) => name);
    for (const hosts of choice.rolling ? names.map((name) => [name]) : [names]) {
      await replaceProxy(only(run, hosts));
    }
  });
}

/** `accessory downgrade`: a reboot, which moves the accessory out of Kamal 2's network. */
export async function downgradeAccessory(run: Run, name: string, choice: Choice): Promise<void> {
  if (!(await confirmed(run, choice, "This will reboot the accessories."))) return;
  if (!choice.rolling) return rebootAccessory(run, name);
  await withLock(run, async () => {
    const accessories = name === "all" ? run.config.accessories : [findAccessory(run.config, name)];
    const hosts = new Set(accessories.flatMap((accessory) => accessoryHosts(accessory, run.filters)));
    for (const host of hosts) await rebootAccessory(only(run, [host]), name);
  });
}

async function replaceProxy(run: Run): Promise<void> {
  const hosts = traefikHosts(run);
  const { image } = run.config.traefik;
  // Hosts with accessories alone run no version.
  const version = run.selection.app.length > 0 ? await versionToBoot(run) : undefined;
  if (version !== undefined) await ensureImage(run, version);
  const stop = script("Stop kamal-proxy", [
    step("Pull Traefik's image", sh`docker image inspect ${image} >/dev/null 2>&1 || docker pull ${image}`),
    step("Stop kamal-proxy", sh`! ${present()} || docker stop ${KAMAL_PROXY}`),
  ]);
  const remove = script("Remove kamal-proxy", [
    step("Remove kamal-proxy", sh`! ${present()} || docker rm -f ${KAMAL_PROXY}`),
  ]);
  const revert = script("Revert to kamal-proxy", [
    step("Start kamal-proxy again", sh`! ${present()} || { docker rm -f ${TRAEFIK}; docker start ${KAMAL_PROXY}; }`),
  ]);
  const variables = { MRSK_HOSTS: hosts.map(({ name }) => name).join(",") };
  const named = version ?? (await run.requestedVersion());
  await runHook(run, "pre-traefik-reboot", named, variables);
  begin(run, `Replacing kamal-proxy on ${variables.MRSK_HOSTS}...`);
  try {
    await onHosts(hosts, (host) => host.run(stop));
    if (version !== undefined) await bootVersion(run, version, { reuse: false, prune: false });
    await ensureTraefikOfAccessories(run);
  } catch (error) {
    await onHosts(hosts, (host) => host.run(revert)).catch((reason: unknown) => {
      const text = `kamal-proxy could not be started again: ${reason instanceof Error ? reason.message : String(reason)}`;
      run.report({ kind: "warning", text });
    });
    throw error;
  }
  await onHosts(hosts, (host) => host.run(remove));
  await runHook(run, "post-traefik-reboot", named, variables);
}

function present() {
  return sh`docker inspect --type container ${KAMAL_PROXY} >/dev/null 2>&1`;
}

/** The run, limited to these hosts. */
function only(run: Run, hosts: readonly string[]): Run {
  const filters = { ...run.filters, hosts, primary: false };
  return { ...run, filters, selection: select(run.config, filters) };
}

async function confirmed(run: Run, choice: Choice, what: string): Promise<boolean> {
  if (choice.confirmed || (await run.confirm(`${what} Are you sure?`))) return true;
  run.print("Aborted\n");
  return false;
}
