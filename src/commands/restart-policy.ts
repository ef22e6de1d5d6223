import { type Command, docker, Raw, type Shell, sh } from "../script/command.ts";

/** Stops them, all at once, and makes sure that no reboot brings one back. */
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

/** A reboot from here on revives this one. */
export function enableRestart(container: string): Command {
  return docker("update", "--restart", "unless-stopped", container);
}

/** The same, and no longer the one that it replaces, which may be gone already. */
export function moveRestart(container: string, old: string): Shell {
  return sh`${disableRestart(old)} >/dev/null 2>&1 &
${enableRestart(container)}
wait`;
}

export function disableRestart(container: string | Raw): Command {
  return docker("update", "--restart", "no", container);
}
