import { installDocker } from "../commands/bootstrap.ts";
import { docker, sh } from "../script/command.ts";
import { script, step } from "../script/script.ts";
import { CommandFailedError, ExitCode, HostsFailedError, MrskError } from "../errors.ts";
import { engineError } from "../observe/engine-errors.ts";
import type { Host } from "../hosts/host.ts";
import type { ScriptResult } from "../script/result.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { accessoryHosts } from "../plan/select.ts";
import { outcome } from "./audit.ts";
import { runHookOfRequest } from "./hook.ts";
import { warnAboutHooks } from "./hook-check.ts";
import type { Run } from "./run.ts";
import type { Terminal } from "./terminal.ts";
import { type CommandChoice, runCommand } from "./app/run-command.ts";
import { withoutLiterals } from "./app/typed.ts";
import { ExitStatus } from "../shell/exit-status.ts";
import { JOINED } from "../shell/constants.ts";

/** Id of the step. */
const INSTALL = "install-docker";

/**
 * Installs Docker and curl on every app and accessory host.
 * @throws MrskError naming the hosts where the login user may not install them
 */
export async function bootstrap(run: Run): Promise<void> {
  if (!run.held.connected) warnAboutHooks(run);
  try {
    await onHosts(everyHost(run), async (host) => {
      const output = (await install(run, host)).text(INSTALL);
      if (output !== "present") run.report({ kind: "note", host: host.name, text: output || "Docker is ready" });
      if (output.includes(JOINED)) await checkGroup(host);
    });
  } catch (error) {
    throw notAllowedError(error) ?? error;
  }
  await runHookOfRequest(run, "docker-setup");
}

async function install(run: Run, host: Host): Promise<ScriptResult> {
  try {
    return await host.run(script("Install Docker", [step("Ensure Docker and curl", installDocker(), INSTALL)]), {
      signal: run.signal,
    });
  } catch (error) {
    const other = error instanceof CommandFailedError && error.status === ExitStatus.NOT_DOCKER;
    throw (other && engineError(error)) || error;
  }
}

/** Reconnects first: a login session keeps the groups it started with. */
async function checkGroup(host: Host): Promise<void> {
  await host.reconnect();
  await host.run(script("Use Docker", [step("Use Docker as the login user", docker("version"))]));
}

/** App and accessory hosts that match the filters. */
function everyHost(run: Run): Host[] {
  const accessories = run.config.accessories.flatMap((accessory) => accessoryHosts(accessory, run.filters));
  const names = new Set([...run.selection.app.map(({ host }) => host), ...accessories]);
  return Array.from(names, (name) => run.host(name));
}

function notAllowedError(error: unknown): MrskError | undefined {
  if (!(error instanceof HostsFailedError)) return undefined;
  const isRefusal = (reason: unknown) =>
    reason instanceof CommandFailedError && reason.status === ExitStatus.NOT_ALLOWED;
  const hosts = error.failures.filter(({ reason }) => isRefusal(reason)).map(({ host }) => host);
  if (hosts.length === 0) return undefined;
  const others = error.failures.filter(({ reason }) => !isRefusal(reason));
  const text = [
    `Docker is not installed on ${hosts.join(", ")} and can't be automatically installed without having root access and the \`curl\` command available.`,
    ...(others.length > 0 ? [new HostsFailedError(others).message] : []),
  ];
  return new MrskError(ExitCode.remote, text.join("\n"), {
    hint: "Install Docker manually: https://docs.docker.com/engine/install/ (or let the login user use sudo without a password).",
    cause: error,
  });
}

/** `server exec CMD`: runs the command with `sh` on every app and accessory host. */
export async function serverExec(run: Run, terminal: Terminal, command: string, choice: CommandChoice): Promise<void> {
  const hosts = everyHost(run);
  const first = hosts.find(({ name }) => name === run.selection.primary) ?? hosts[0];
  const chosen = choice.interactive && first !== undefined ? [first] : hosts;
  const after = choice.interactive
    ? []
    : [await outcome(run, `Executed cmd '${withoutLiterals(command, new Map())}' on server`)];
  const targets = chosen.map((host) => ({
    name: host.name,
    host,
    label: host.name,
    before: [],
    after,
    // Without `set -e` of the step: the user's command line continues after a failure.
    command: () => ({ body: sh`set +e; eval ${command}` }),
  }));
  await runCommand(run, terminal, { kind: "App", targets, choice });
}
