import { AccessoryCommands } from "../commands/accessory.ts";
import { AppCommands } from "../commands/app.ts";
import { words } from "../commands/arguments.ts";
import { type Body, type Command, docker, raw } from "../commands/command.ts";
import { capture, script, type Step, step } from "../commands/script.ts";
import type { Role } from "../config/config.ts";
import { CommandFailedError, HostsFailedError, MrskError, UsageError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";
import { onHosts } from "../hosts/on-hosts.ts";
import { accessoryHosts } from "../hosts/select.ts";
import { lineByLine } from "../lines.ts";
import { liveContainer, liveVersion } from "../plan/deploy.ts";
import { oneAccessory } from "./accessory.ts";
import { audit } from "./audit.ts";
import { observeHosts } from "./observe.ts";
import { begin, type Run } from "./run.ts";
import { roleOn } from "./role-phases.ts";
import { environmentSecrets } from "./secrets.ts";

export interface ExecChoice {
  readonly interactive: boolean;
  readonly reuse: boolean;
  /** `KEY=VALUE` each. */
  readonly env: readonly string[];
}

const COMMAND_STEP = "Command";

/** `app exec`. Ends with the exit status of the first host whose command failed. */
export async function appExec(run: Run, line: string, choice: ExecChoice): Promise<void> {
  const command = words(line);
  if (choice.reuse) await execInRunning(run, line, command, choice);
  else await execInNew(run, line, command, choice);
}

async function execInRunning(run: Run, line: string, command: Command, choice: ExecChoice): Promise<void> {
  const targets = choice.interactive
    ? run.selection.app.filter(({ host }) => host === run.selection.primary)
    : run.selection.app;
  const facts = await observeHosts(
    run,
    targets.map(({ host }) => run.host(host)),
  );
  const runs = targets.flatMap(({ host, roles }) =>
    (choice.interactive ? roles.slice(0, 1) : roles).map((role) => ({ name: host, host: run.host(host), role })),
  );
  const live = ({ name, role }: { name: string; role: Role }) => {
    const found = liveContainer(run.config, role, facts.get(name)!);
    if (!found)
      throw new UsageError(`${name}: no container of role ${role.name} runs`, {
        hint: "Leave out --reuse to run it in a new one.",
      });
    return found;
  };
  const versions = [...new Set(runs.map((target) => liveVersion(run.config, target.role, facts.get(target.name)!)))];
  if (choice.interactive) {
    const [first] = runs;
    if (!first) throw new UsageError("No host is selected");
    begin(
      run,
      `Launching interactive command with version ${versions.join(", ")} via SSH from existing container on ${first.name}...`,
    );
    const body = new AppCommands(run.config, first.role).execReuse(live(first).name, command, {
      interactive: true,
      env: choice.env,
    });
    return ended(await first.host.terminal(body));
  }
  begin(run, `Launching command with version ${versions.join(", ")} from existing container...`);
  await streamed(run, "App", runs, async (target) => [
    await audit(
      run,
      `Executed cmd '${line}' on app version ${liveVersion(run.config, target.role, facts.get(target.name)!)}`,
      target.role.name,
    ),
    step(
      COMMAND_STEP,
      new AppCommands(run.config, target.role).execReuse(live(target).id, command, { env: choice.env }),
    ),
  ]);
}

async function execInNew(run: Run, line: string, command: Command, choice: ExecChoice): Promise<void> {
  const version = run.givenVersion ?? "latest";
  const targets = run.selection.app.map(({ host, roles }) => ({
    name: host,
    host: run.host(host),
    role: roleOn(roles[0]!, host),
  }));
  if (choice.interactive) {
    const first = targets.find(({ name }) => name === run.selection.primary) ?? targets[0]!;
    begin(run, `Launching interactive command with version ${version} via SSH from new container on ${first.name}...`);
    const secrets = await environmentSecrets(run, first.role.env, `env of role ${first.role.name}`);
    const create = new AppCommands(run.config, first.role).createInteractive(version, command, secrets, choice.env);
    return ended(await enter(first.host, create));
  }
  begin(run, `Launching command with version ${version} from new container...`);
  await streamed(run, "App", targets, async ({ role }) => {
    const secrets = await environmentSecrets(run, role.env, `env of role ${role.name}`);
    return [
      await audit(run, `Executed cmd '${line}' on app version ${version}`),
      step(COMMAND_STEP, new AppCommands(run.config, role).execNew(version, command, secrets, { env: choice.env })),
    ];
  });
}

/** `accessory exec`. */
export async function accessoryExec(run: Run, name: string, line: string, choice: ExecChoice): Promise<void> {
  const accessory = oneAccessory(run, name);
  const command = words(line);
  const commands = new AccessoryCommands(run.config, accessory);
  const hosts = accessoryHosts(accessory, run.filters).map((host) => ({ name: host, host: run.host(host) }));
  const where = choice.reuse ? "existing" : "new";
  const secrets = choice.reuse
    ? new Map<string, never>()
    : await environmentSecrets(run, accessory.env, `accessories/${name}/env`);
  if (choice.interactive) {
    const first = hosts[0]!.host;
    begin(run, `Launching interactive command via SSH from ${where} container on ${first.name}...`);
    if (choice.reuse) return ended(await first.terminal(commands.execReuse(command, { interactive: true })));
    return ended(await enter(first, commands.createInteractive("${PWD}", command, secrets)));
  }
  begin(run, `Launching command from ${where} container...`);
  const line_ = await audit(run, `Executed cmd '${line}' on ${name} accessory`);
  const body = choice.reuse ? commands.execReuse(command) : commands.execNew("${PWD}", command, secrets);
  await streamed(run, `Accessory ${name}`, hosts, async () => [line_, step(COMMAND_STEP, body)]);
}

/** Secrets never get into an argument list, so the container is made by a script, then entered. */
async function enter(host: Host, create: Body): Promise<number> {
  const made = await host.run(script("Make a container", [capture("id", "Make a container", create)]));
  const id = made.text("Make a container").split("\n").at(-1)!;
  try {
    return await host.terminal(docker("start", "-ai", id));
  } finally {
    await host
      .run(
        script("Tidy up", [
          { name: "Tidy up", mode: "try", body: [...docker("rm", "-f", id), raw(">/dev/null 2>&1")] },
        ]),
      )
      .catch(() => {});
  }
}

function ended(status: number): void {
  if (status !== 0) throw new MrskError(status, `The command ended with exit status ${status}`);
}

/** Output as it comes on one host, in a block per host on several. */
async function streamed<T extends { name: string; host: Host }>(
  run: Run,
  kind: string,
  targets: readonly T[],
  stepsFor: (target: T) => Promise<readonly Step[]>,
): Promise<void> {
  const prefix = (host: string) => (targets.length === 1 ? "" : `${host} | `);
  if (targets.length === 1) run.print(`${kind} Host: ${targets[0]!.name}\n`);
  try {
    await onHosts(targets, async (target) => {
      const lines = lineByLine((line) => run.print(`${prefix(target.name)}${line}\n`));
      await target.host
        .run(script("Run a command", await stepsFor(target)), {
          signal: run.signal,
          onOutput: ({ step: name, text }) => void (name === COMMAND_STEP && lines.add(text)),
        })
        .finally(() => lines.end());
    });
    if (targets.length === 1) run.print("\n");
  } catch (error) {
    throw withOwnStatus(error);
  }
}

/** The command's own exit status becomes ours. */
function withOwnStatus(error: unknown): unknown {
  if (!(error instanceof HostsFailedError)) return error;
  const reason = error.failures
    .map((failure) => failure.reason)
    .find((failure) => failure instanceof CommandFailedError && failure.step === COMMAND_STEP);
  if (!(reason instanceof CommandFailedError)) return error;
  const hosts = error.failures.map(({ host }) => host).join(", ");
  return new MrskError(reason.status, `${hosts}: the command ended with exit status ${reason.status}`, {
    cause: error,
  });
}
