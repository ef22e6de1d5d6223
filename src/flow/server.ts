import { installDocker, NOT_ALLOWED } from "../commands/bootstrap.ts";
import { raw } from "../commands/command.ts";
import { script, step } from "../commands/script.ts";
import { CommandFailedError, ExitCode, HostsFailedError, MrskError } from "../errors.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { accessoryHosts } from "../hosts/select.ts";
import { runHook } from "./hook.ts";
import { printBlock, type Run } from "./run.ts";

/** Docker and curl on every app and accessory host. @throws MrskError naming the hosts where the user may not install */
export async function bootstrap(run: Run): Promise<void> {
  const accessories = run.config.accessories.flatMap((accessory) => accessoryHosts(accessory, run.filters));
  const names = [...new Set([...run.selection.app.map(({ host }) => host), ...accessories])];
  const work = script("Install Docker", [step("Ensure Docker and curl", installDocker())]);
  try {
    await onHosts(
      names.map((name) => run.host(name)),
      async (host) => {
        const said = (await host.run(work, { signal: run.signal })).text("Ensure Docker and curl");
        if (said !== "present") run.report({ kind: "note", host: host.name, text: said || "Docker is ready" });
      },
    );
  } catch (error) {
    throw notAllowed(error) ?? error;
  }
  await runHook(run, "docker-setup");
}

function notAllowed(error: unknown): MrskError | undefined {
  if (!(error instanceof HostsFailedError)) return undefined;
  const hosts = error.failures
    .filter(({ reason }) => reason instanceof CommandFailedError && reason.status === NOT_ALLOWED)
    .map(({ host }) => host);
  if (hosts.length === 0) return undefined;
  const text = `Docker is not installed on ${hosts.join(", ")} and can't be automatically installed without root access or sudo without a password`;
  return new MrskError(ExitCode.remote, text, {
    hint: "Install Docker manually: https://docs.docker.com/engine/install/",
    cause: error,
  });
}

/** `server exec CMD`: the command as the host's own shell reads it. */
export async function serverExec(run: Run, command: string, { interactive }: { interactive: boolean }): Promise<void> {
  if (interactive) {
    const status = await run.host(run.selection.primary).terminal([raw(command)]);
    if (status !== 0) throw new MrskError(status, `The command ended with exit status ${status}`);
    return;
  }
  const work = script("Run a command", [step("Command", [raw(command)])]);
  const hosts = run.selection.app.map(({ host }) => run.host(host));
  await onHosts(hosts, async (host) =>
    printBlock(run, "App", host.name, (await host.run(work, { signal: run.signal })).text("Command")),
  );
}
