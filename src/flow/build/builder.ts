import {
  engineVersion,
  builderHosts,
  builderInfo,
  builderName,
  checkBuildx,
  contextName,
  createBuilder as createCommand,
  inspectBuilder,
  inspectContext,
  removeBuilder as removeCommands,
} from "../../commands/builder.ts";
import { silently } from "../../script/command.ts";
import { attempt, script, type Step, step } from "../../script/script.ts";
import type { Config } from "../../config/config.ts";
import { CommandFailedError, ExitCode, MrskError } from "../../errors.ts";
import type { ScriptResult } from "../../script/result.ts";
import { withLock } from "../lock.ts";
import { begin, type Run } from "../run.ts";

/** Exit status of a shell for an unknown command. */
const NOT_FOUND = 127;
const NO_BUILDER = "Docker's own builder is used";

/** `changed`: why the builder must be created again. */
type BuilderState = "ready" | "missing" | { readonly changed: string };

/**
 * Checks docker and buildx on this machine, and creates the builder if it is missing or its hosts changed.
 * @param checks must succeed before the builder is created
 * @throws MrskError naming what is missing
 */
export async function ensureBuilder(run: Run, checks: Promise<unknown>): Promise<void> {
  const state = await inspectTools(run);
  if (state === "ready") return;
  await checks;
  const text = state === "missing" ? "Missing compatible builder, so creating a new one first" : state.changed;
  run.report({ kind: "warning", text });
  await create(run);
}

/** `build create`. */
export async function createBuilder(run: Run): Promise<void> {
  await withLock(run, async () => {
    const name = builderName(run.config);
    if (name === undefined) return note(run, `${NO_BUILDER}: nothing to create`);
    if ((await inspectTools(run)) === "ready") return note(run, `The builder ${name} already exists`);
    begin(run, `Creating the builder ${name}...`);
    await create(run);
  });
}

/** `build remove`. */
export async function removeBuilder(run: Run): Promise<void> {
  await withLock(run, async () => {
    const name = builderName(run.config);
    if (name === undefined) return note(run, `${NO_BUILDER}: nothing to remove`);
    const state = await inspectTools(run);
    await run.local.run(script("Remove the builder", removal(run)));
    note(run, `${state === "missing" ? "There is no" : "Removed the"} builder ${name}`);
  });
}

/** `build details`. */
export async function builderDetails(run: Run): Promise<void> {
  const command = builderInfo(run.config);
  run.print(`Builder: ${builderName(run.config) ?? "native"}\n`);
  if (!command) return note(run, `${NO_BUILDER}: nothing to show`);
  await inspectTools(run);
  const result = await run.local.run(script("Builders", [step("Builders", command, "builders")]));
  run.print(`${result.text("builders")}\n`);
}

function note(run: Run, text: string): void {
  run.report({ kind: "note", text });
}

/** Removes first what a crash or another configuration left of the builder. */
async function create(run: Run): Promise<void> {
  const steps = [...removal(run), step("Create the builder", createCommand(run.config)!)];
  try {
    await run.local.run(script("Create the builder", steps), { signal: run.signal });
  } catch (error) {
    const remote = builderHosts(run.config).find(({ host }) => host?.startsWith("ssh://"));
    if (!(error instanceof CommandFailedError) || !remote) throw error;
    throw new MrskError(ExitCode.remote, error.message, {
      hint: `Docker connects to that host with this machine's ssh: check that \`docker -H ${remote.host} version\` works.`,
      cause: error,
    });
  }
}

function removal(run: Run): Step[] {
  return removeCommands(run.config).map((command) => step("Remove the existing builder", command));
}

/** Inspects docker, buildx and the builder. @throws MrskError naming what is missing on this machine */
async function inspectTools(run: Run): Promise<BuilderState> {
  const { config } = run;
  const name = builderName(config);
  const contexts = builderHosts(config).map((host) => contextName(config, host));
  const buildx = checkBuildx(config);
  const steps = [
    attempt("engine", silently(engineVersion())),
    ...(buildx ? [attempt("buildx", silently(buildx))] : []),
    ...(name === undefined ? [] : [attempt("builder", inspectBuilder(name))]),
    ...contexts.map((context) => attempt(context, inspectContext(context))),
  ];
  const result = await run.local.run(script("Inspect docker", steps), { signal: run.signal });
  if (result.status("engine") === NOT_FOUND) {
    throw new MrskError(ExitCode.remote, "Docker is not installed locally", {
      hint: "Install it: https://docs.docker.com/engine/install/",
    });
  }
  if (name !== undefined && result.status("buildx") !== 0) {
    throw new MrskError(ExitCode.remote, "Docker buildx plugin is not installed locally", {
      hint: "Install it (package docker-buildx-plugin or docker-buildx), or build without: builder.multiarch: false.",
    });
  }
  const state = name === undefined ? "ready" : builderState(config, name, result);
  // An existing builder may run on any machine.
  const usesThisEngine = name === undefined || (state !== "ready" && contexts.length === 0);
  if (usesThisEngine && result.status("engine") !== 0) {
    throw new MrskError(ExitCode.remote, "The Docker engine of this machine does not answer", {
      hint: "Start it, and check that this user has access: docker info",
    });
  }
  return state;
}

/** mrsk's contexts have names that begin with the builder's name. A builder without them is the user's, and used as it is. */
function builderState(config: Config, name: string, result: ScriptResult): BuilderState {
  if (result.status("builder") !== 0) {
    const output = result.steps.find((one) => one.id === "builder")!.stderr.trim();
    if (/no builder ".*" found/.test(output)) return "missing";
    throw new MrskError(ExitCode.remote, `docker buildx inspect ${name} failed\n${output}`);
  }
  const ownContexts = Array.from(result.text("builder").matchAll(/^Endpoint:\s+(\S+)$/gm), ([, endpoint]) => endpoint!) //
    .filter((endpoint) => endpoint.startsWith(`${name}-`));
  const configured = new Map(builderHosts(config).map((host) => [contextName(config, host), host.host ?? ""]));
  if (ownContexts.length === 0) return "ready";
  const current = new Map(
    ownContexts.map((context) => [context, configured.has(context) ? result.text(context) : "another"]),
  );
  const names = new Set([...current.keys(), ...configured.keys()]);
  const differing = [...names].filter((one) => current.get(one) !== configured.get(one));
  if (differing.length === 0) return "ready";
  const changes = differing.map(
    (one) => `${one} was ${current.get(one) ?? "none"}, is now ${configured.get(one) ?? "none"}`,
  );
  return { changed: `The builder's hosts changed, so it is created again: ${changes.join("; ")}` };
}
