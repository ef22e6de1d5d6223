import {
  engineVersion,
  builderHosts,
  builderInfo,
  builderName,
  checkBuildx,
  contextName,
  createBuilder as create,
  inspectBuilder,
  inspectContext,
  removeBuilder as removeCommands,
} from "../../commands/builder.ts";
import { silently } from "../../script/command.ts";
import { attempt, script, type Step, step } from "../../script/script.ts";
import type { Config } from "../../config/config.ts";
import { CommandFailedError, ExitCode, MrskError } from "../../errors.ts";
import type { ScriptResult } from "../../hosts/host.ts";
import { withLock } from "../lock.ts";
import { begin, type Run } from "../run.ts";

/** What a shell ends with that does not find a command. */
const NOT_FOUND = 127;
const NO_BUILDER = "Docker's own builder is used";

/** As it should be, not there, or with the reason why it has to be made anew. */
type BuilderState = "there" | "missing" | { readonly changed: string };

/**
 * Looks for docker and buildx on this machine, and for the builder, which is made where there is none and anew where
 * its hosts changed.
 * @param clear what has to be done before anything is made
 * @throws MrskError naming what is missing
 */
export async function ensureBuilder(run: Run, clear: Promise<unknown>): Promise<void> {
  const state = await inspectTools(run);
  if (state === "there") return;
  await clear;
  const text = state === "missing" ? "Missing compatible builder, so creating a new one first" : state.changed;
  run.report({ kind: "warning", text });
  await make(run);
}

/** `build create`. */
export async function createBuilder(run: Run): Promise<void> {
  await withLock(run, async () => {
    const name = builderName(run.config);
    if (name === undefined) return note(run, `${NO_BUILDER}: nothing to create`);
    if ((await inspectTools(run)) === "there") return note(run, `The builder ${name} is there`);
    begin(run, `Creating the builder ${name}...`);
    await make(run);
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

/** What a crash, or another configuration, left of the builder goes first. */
async function make(run: Run): Promise<void> {
  const steps = [...removal(run), step("Create the builder", create(run.config)!)];
  try {
    await run.local.run(script("Create the builder", steps), { signal: run.signal });
  } catch (error) {
    const reached = builderHosts(run.config).find(({ host }) => host?.startsWith("ssh://"));
    if (!(error instanceof CommandFailedError) || !reached) throw error;
    throw new MrskError(ExitCode.remote, error.message, {
      hint: `Docker reaches that host by this machine's own ssh: see that \`docker -H ${reached.host} version\` works.`,
      cause: error,
    });
  }
}

function removal(run: Run): Step[] {
  return removeCommands(run.config).map((command) => step("Remove what is there of the builder", command));
}

/** Changes nothing. @throws MrskError naming what is missing on this machine */
async function inspectTools(run: Run): Promise<BuilderState> {
  const { config } = run;
  const name = builderName(config);
  const contexts = builderHosts(config).map((host) => contextName(config, host));
  const buildx = checkBuildx(config);
  const looks = [
    attempt("engine", silently(engineVersion())),
    ...(buildx ? [attempt("buildx", silently(buildx))] : []),
    ...(name === undefined ? [] : [attempt("builder", inspectBuilder(name))]),
    ...contexts.map((context) => attempt(context, inspectContext(context))),
  ];
  const seen = await run.local.run(script("Inspect docker", looks), { signal: run.signal });
  if (seen.status("engine") === NOT_FOUND) {
    throw new MrskError(ExitCode.remote, "Docker is not installed locally", {
      hint: "Install it: https://docs.docker.com/engine/install/",
    });
  }
  if (name !== undefined && seen.status("buildx") !== 0) {
    throw new MrskError(ExitCode.remote, "Docker buildx plugin is not installed locally", {
      hint: "Install it (package docker-buildx-plugin or docker-buildx), or build without: builder.multiarch: false.",
    });
  }
  const state = name === undefined ? "there" : builderState(config, name, seen);
  // A builder that is there may run anywhere.
  const usesThisEngine = name === undefined || (state !== "there" && contexts.length === 0);
  if (usesThisEngine && seen.status("engine") !== 0) {
    throw new MrskError(ExitCode.remote, "The Docker engine of this machine does not answer", {
      hint: "Start it, and see that you may use it: docker info",
    });
  }
  return state;
}

/** Contexts that have our names are ours; a builder with none of them is somebody's own, and taken as it is. */
function builderState(config: Config, name: string, seen: ScriptResult): BuilderState {
  if (seen.status("builder") !== 0) {
    const said = seen.steps.find((one) => one.id === "builder")!.stderr.trim();
    if (/no builder ".*" found/.test(said)) return "missing";
    throw new MrskError(ExitCode.remote, `docker buildx inspect ${name} failed\n${said}`);
  }
  const ours = Array.from(seen.text("builder").matchAll(/^Endpoint:\s+(\S+)$/gm), ([, endpoint]) => endpoint!) //
    .filter((endpoint) => endpoint.startsWith(`${name}-`));
  const now = new Map(builderHosts(config).map((host) => [contextName(config, host), host.host ?? ""]));
  if (ours.length === 0) return "there";
  const was = new Map(ours.map((context) => [context, now.has(context) ? seen.text(context) : "another"]));
  const differing = [...new Set([...was.keys(), ...now.keys()])].filter((one) => was.get(one) !== now.get(one));
  if (differing.length === 0) return "there";
  const changes = differing.map((one) => `${one} was ${was.get(one) ?? "none"}, is now ${now.get(one) ?? "none"}`);
  return { changed: `The builder's hosts changed, so it is created again: ${changes.join("; ")}` };
}
