import { AccessoryCommands } from "../../commands/accessory.ts";
import { AppCommands } from "../../commands/app.ts";
import { words } from "../../commands/arguments.ts";
import type { Command } from "../../script/command.ts";
import { containerPrefix } from "../../config/names.ts";
import { type ExecOptions, removeOneOff, removeStopped } from "../../commands/one-off.ts";
import { attempt, type Step } from "../../script/script.ts";
import type { Role } from "../../config/config.ts";
import { isReserved } from "../../config/limits.ts";
import { Secret } from "../../config/env/secret.ts";
import { UsageError } from "../../errors.ts";
import { accessoryHosts } from "../../plan/select.ts";
import { liveContainer, liveVersion } from "../../plan/containers.ts";
import type { HostFacts } from "../../plan/facts.ts";
import { oneAccessory } from "../accessory.ts";
import { outcome } from "../audit.ts";
import { resolveGivenVersion } from "../resolve-version.ts";
import { observeHosts } from "../observe.ts";
import { roleOn } from "../rollout/role-phases.ts";
import { begin, type Run } from "../run.ts";
import { type CommandChoice, runCommand, type Target } from "./run-command.ts";
import { accessorySecrets, roleSecrets } from "../secrets.ts";
import type { Terminal } from "../terminal.ts";
import { withoutLiterals } from "./typed.ts";

export interface ExecChoice extends CommandChoice {
  /** Use the running container, not a new one. */
  readonly reuse: boolean;
  /** Variables for this command only. */
  readonly env: ReadonlyMap<string, string>;
}

/** The user's command and its options. */
interface ExecRequest {
  /** For the audit log: the command line as typed, without secrets. */
  readonly line: string;
  readonly command: Command;
  readonly choice: ExecChoice;
  readonly env: NonNullable<ExecOptions["env"]>;
}

/** A role on a host, with the host's facts. */
interface Place {
  readonly name: string;
  readonly role: Role;
  readonly facts: HostFacts;
}

/** @throws UsageError */
function refuseContradictions({ detach = false, interactive, reuse, raw }: ExecChoice): void {
  if (!detach || !(interactive || reuse || raw)) return;
  const [other] = [interactive && "--interactive", reuse && "--reuse", raw && "--raw"].filter(Boolean);
  throw new UsageError(`--detach and ${other} contradict each other`, {
    hint: "--detach starts a new container and does not wait for its output.",
  });
}

/** `app exec`. @throws MrskError with the exit status of the first host whose command failed */
export async function appExec(run: Run, terminal: Terminal, line: string, choice: ExecChoice): Promise<void> {
  refuseContradictions(choice);
  const request = requestOf(line, choice);
  const { app, primary } = run.selection;
  const selected = choice.interactive ? app.filter(({ host }) => host === primary) : app;
  const facts = await observeHosts(
    run,
    selected.map(({ host }) => run.host(host)),
  );
  const given = resolveGivenVersion(run, facts);
  const places = selected.flatMap(({ host, roles }) =>
    chosenRoles(run, roles, choice).map((role) => ({
      name: host,
      role: roleOn(role, host),
      facts: facts.get(host)!,
    })),
  );
  const secrets = choice.reuse
    ? new Map()
    : await roleSecrets(
        run,
        places.map(({ role }) => role),
      );
  const targets = await Promise.all(
    places.map((place) =>
      choice.reuse ? inRunning(run, place, request) : inNew(run, place, request, { secrets, given }),
    ),
  );
  announce(run, targets, choice);
  await runCommand(run, terminal, { kind: "App", targets: targets.map(labelled), choice });
}

/** With `--reuse`, every role. A new container is created once per host, for the primary role if the host runs it. */
function chosenRoles(run: Run, roles: readonly Role[], { reuse, interactive }: ExecChoice): readonly Role[] {
  const first = roles.find(({ name }) => name === run.config.primaryRole) ?? roles[0]!;
  return reuse && !interactive ? roles : [first];
}

type AppTarget = Omit<Target, "label"> & { readonly role: string; readonly version: string };

async function inRunning(
  run: Run,
  { name, role, facts }: Place,
  { line, command, choice, env }: ExecRequest,
): Promise<AppTarget> {
  const live = liveContainer(run.config, role, facts);
  if (!live) {
    throw new UsageError(`${name}: no container of role ${role.name} runs`, {
      hint: "Omit --reuse to run the command in a new container.",
    });
  }
  const version = liveVersion(run.config, role, facts) ?? "";
  return {
    name,
    host: run.host(name),
    role: role.name,
    version,
    before: [],
    after: choice.interactive
      ? []
      : [await outcome(run, `Executed cmd '${line}' on app version ${version}`, role.name)],
    command: (streams) => ({ body: new AppCommands(run.config, role).execReuse(live.id, command, { streams, env }) }),
  };
}

async function inNew(
  run: Run,
  { name, role, facts }: Place,
  { line, command, choice: { interactive, detach = false }, env }: ExecRequest,
  { secrets, given }: { secrets: ReadonlyMap<string, Secret>; given: string | undefined },
): Promise<AppTarget> {
  const version = given ?? liveVersion(run.config, role, facts) ?? facts.releases.at(-1) ?? "latest";
  const container = { name: `${containerPrefix(run.config, role)}-exec-${run.newId(12)}`, service: run.config.service };
  return {
    name,
    host: run.host(name),
    role: role.name,
    version,
    before: [removeEnded(run)],
    after: interactive ? [] : [await outcome(run, `Executed cmd '${line}' on app version ${version}`)],
    command: (streams) => ({
      body: new AppCommands(run.config, role).execNew(version, command, secrets, { streams, env, container, detach }),
      ...(detach ? {} : { cleanup: removeOneOff(container.name) }),
    }),
  };
}

function announce(run: Run, targets: readonly AppTarget[], { interactive, reuse }: ExecChoice): void {
  const versions = [...new Set(targets.map(({ version }) => version))].join(", ");
  const where = reuse ? "existing container" : "new container";
  const how = interactive ? `interactive command with version ${versions} via SSH` : `command with version ${versions}`;
  begin(run, `Launching ${how} from ${where}${interactive ? ` on ${targets[0]?.name}` : ""}...`);
}

function labelled(target: AppTarget, _: number, all: readonly AppTarget[]): Target {
  const several = all.filter(({ name }) => name === target.name).length > 1;
  return { ...target, label: several ? `${target.name} ${target.role}` : target.name };
}

/** `accessory exec`. */
export async function accessoryExec(
  run: Run,
  terminal: Terminal,
  name: string,
  line: string,
  choice: ExecChoice,
): Promise<void> {
  const accessory = oneAccessory(run, name);
  const { command, env, line: redacted } = requestOf(line, choice);
  const { interactive, reuse } = choice;
  const commands = new AccessoryCommands(run.config, accessory);
  const secrets = reuse ? new Map() : await accessorySecrets(run, [accessory]);
  const before = reuse ? [] : [removeEnded(run)];
  const after = interactive ? [] : [await outcome(run, `Executed cmd '${redacted}' on ${name} accessory`)];
  const targets = accessoryHosts(accessory, run.filters).map((host): Target => {
    const container = { name: `${accessory.service}-exec-${run.newId(12)}`, service: run.config.service };
    return {
      name: host,
      host: run.host(host),
      label: host,
      before,
      after,
      command: (streams) =>
        reuse
          ? { body: commands.execReuse(command, { streams, env }) }
          : {
              body: commands.execNew("${PWD}", command, secrets, { streams, env, container }),
              cleanup: removeOneOff(container.name),
            },
    };
  });
  const how = interactive ? "interactive command via SSH" : "command";
  const where = `${reuse ? "existing" : "new"} container${interactive ? ` on ${targets[0]?.name}` : ""}`;
  begin(run, `Launching ${how} from ${where}...`);
  await runCommand(run, terminal, { kind: `Accessory ${name}`, targets, choice });
}

function removeEnded(run: Run): Step {
  return attempt("Remove containers that have ended", removeStopped(run.config.service));
}

/** @throws UsageError for an empty command */
function requestOf(line: string, choice: ExecChoice): ExecRequest {
  const command = words(line);
  if (command.length === 0) throw new UsageError("The command is empty");
  const env = new Map(
    [...choice.env].map(([name, value]) => [name, isReserved(name) ? value : new Secret(name, value)]),
  );
  return { line: withoutLiterals(line, choice.env), command, choice, env };
}
