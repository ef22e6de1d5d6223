import { attempt, script } from "../commands/script.ts";
import { removeTraefikContainer, removeTraefikImage } from "../commands/traefik.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { audit } from "./audit.ts";
import { withLock } from "./lock.ts";
import type { Run } from "./run.ts";

/** `traefik remove-container`: the stopped one, as the original has it. */
export async function removeStoppedTraefik(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [
      await audit(run, "Removed traefik container"),
      attempt("Remove Traefik's container", removeTraefikContainer()),
    ];
    await onTraefikHosts(run, script("Remove Traefik's container", steps));
  });
}

/** `traefik remove-image`: where no container uses it. */
export async function removeTraefikImageOnly(run: Run): Promise<void> {
  await withLock(run, async () => {
    const steps = [await audit(run, "Removed traefik image"), attempt("Remove Traefik's image", removeTraefikImage())];
    await onTraefikHosts(run, script("Remove Traefik's image", steps));
  });
}

async function onTraefikHosts(run: Run, work: ReturnType<typeof script>): Promise<void> {
  await onHosts(
    run.selection.traefik.map((name) => run.host(name)),
    (host) => host.run(work),
  );
}
