import { sh } from "../../script/command.ts";
import { counted, script, step } from "../../script/script.ts";
import { removeTraefikContainer, removeTraefikImage, stopTraefikContainer } from "../../commands/traefik.ts";
import type { Host } from "../../hosts/host.ts";
import { observeContainers } from "../../observe/containers.ts";
import { onHosts } from "../../hosts/on-hosts.ts";
import { traefikUsers } from "../../plan/traefik.ts";
import { outcome } from "../audit.ts";
import { withLock } from "../lock.ts";
import { type Run, traefikHosts } from "../run.ts";
import { observeRepaired } from "./repair.ts";
import { TRAEFIK } from "../../shell/constants.ts";

/** `traefik remove`. Keeps Traefik on hosts where containers of other services have Traefik's labels, unless forced. */
export async function removeTraefik(run: Run, { force }: { force: boolean }): Promise<void> {
  await withLock(run, async () => {
    const hosts = traefikHosts(run);
    await observeRepaired(run, hosts);
    await onHosts(hosts, (host) => removeFrom(run, host, force));
  });
}

async function removeFrom(run: Run, host: Host, force: boolean): Promise<void> {
  const users = traefikUsers(run.config, await observeContainers(host));
  if (users.length > 0 && !force) {
    const text = `Traefik is not removed: ${users.join(", ")} use${users.length === 1 ? "s" : ""} it`;
    run.report({ kind: "note", host: host.name, text });
    return;
  }
  const removal = sh`docker rm -f ${TRAEFIK} 2>/dev/null || ! docker inspect --type container ${TRAEFIK} >/dev/null 2>&1`;
  await host.run(
    script("Remove Traefik", [
      counted("Stop Traefik", stopTraefikContainer()),
      await outcome(run, "Stopped traefik"),
      step("Remove Traefik", removal),
      await outcome(run, "Removed traefik container"),
      counted("Remove Traefik's image", removeTraefikImage()),
      await outcome(run, "Removed traefik image"),
    ]),
  );
}

/** `traefik remove-container`: removes the stopped container only, as in MRSK. */
export async function removeStoppedTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [
      counted("Remove Traefik's container", removeTraefikContainer()),
      await outcome(run, "Removed traefik container"),
    ];
    await onTraefikHosts(run, script("Remove Traefik's container", steps));
  });
}

/** `traefik remove-image`: removes the image if no container uses it. */
export async function removeTraefikImageOnly(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [
      counted("Remove Traefik's image", removeTraefikImage()),
      await outcome(run, "Removed traefik image"),
    ];
    await onTraefikHosts(run, script("Remove Traefik's image", steps));
  });
}

async function onTraefikHosts(run: Run, work: ReturnType<typeof script>): Promise<void> {
  await onHosts(traefikHosts(run), (host) => host.run(work));
}
