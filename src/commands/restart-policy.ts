import type { Config, Role } from "../config/config.ts";
import { type Command, docker, Raw, type Shell, sh } from "../script/command.ts";

/** Seconds for `stopWithoutRestart` of a container of the role. */
export function stopSeconds(config: Config, role: Role): number | undefined {
  return role.stopWaitSeconds ?? config.stopWaitSeconds;
}

/** Stops the containers in parallel, and disables their restart: docker does not start them after a reboot. */
export function stopWithoutRestart(
  containers: string | Raw | readonly string[],
  stopWaitSeconds: number | undefined,
): Shell {
  const wait = stopWaitSeconds === undefined ? [] : ["-t", stopWaitSeconds];
  const all = typeof containers === "string" || containers instanceof Raw ? [containers] : containers;
  return sh`${docker("update", "--restart", "no", ...all)} >/dev/null 2>&1 &
${docker("stop", ...wait, ...all)}
wait`;
}

const POLICY = "unless-stopped";

/** From now on, docker starts the container after a reboot of the host, or as the policy defines. */
export function enableRestart(container: string, policy = POLICY): Command {
  return docker("update", "--restart", policy, container);
}

/** Enables the restart of the new container, and disables that of the old one, which may not exist any more. */
export function moveRestart(container: string, old: string, policy = POLICY): Shell {
  return sh`${disableRestart(old)} >/dev/null 2>&1 &
${enableRestart(container, policy)}
wait`;
}

export function disableRestart(container: string | Raw): Command {
  return docker("update", "--restart", "no", container);
}
