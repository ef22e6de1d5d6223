import type { Secret } from "../config/env/secret.ts";
import { type Body, type Command, docker, raw, type Word, withEnvironment } from "../script/command.ts";

/** The streams of a command: output alone, input as well, or a terminal. */
export type Streams = "output" | "input" | "terminal";

export interface ExecOptions {
  readonly streams?: Streams;
  /** Variables of this command alone. A `Secret` never becomes an argument. */
  readonly env?: ReadonlyMap<string, string | Secret>;
}

export interface OneOffOptions extends ExecOptions {
  /** Name and service of the container, by which it is removed. */
  readonly container?: { readonly name: string; readonly service: string };
  /** Returns when the container has started, prints its id, and keeps it when it ends. */
  readonly detach?: boolean;
}

const LABEL = "mrsk.exec";

/** Runs a command in a running container. */
export function execIn(container: string, command: Command, { streams, env }: ExecOptions): Command {
  return withExtra(env, docker("exec", ...streamFlags(streams), ...extraFlags(env), container, ...command));
}

/** Runs a command in a new container, which docker removes when it exits, unless it is detached. */
export function runOneOff(
  secrets: Iterable<readonly [string, Secret]>,
  flags: readonly Word[],
  image: string,
  command: Command,
  { streams, env, container, detach = false }: OneOffOptions,
): Command {
  const named = container ? ["--name", container.name, "--label", `${LABEL}=${container.service}`] : [];
  // The variables of this command come last, and win.
  const words = [...named, ...flags, ...extraFlags(env), image, ...command];
  const own = Array.from(secrets).filter(([name]) => !env?.has(name));
  return withEnvironment(
    own,
    withExtra(env, docker("run", ...streamFlags(streams), detach ? "--detach" : "--rm", ...words)),
  );
}

function streamFlags(streams: Streams = "output"): string[] {
  return { output: [], input: ["-i"], terminal: ["-it"] }[streams];
}

function extraFlags(env: ExecOptions["env"] = new Map()): Word[] {
  return [...env].flatMap(([name, value]) => ["-e", typeof value === "string" ? `${name}=${value}` : name]);
}

function withExtra(env: ExecOptions["env"] = new Map(), command: Command): Command {
  const secrets = [...env].flatMap(([name, value]) => (typeof value === "string" ? [] : [[name, value] as const]));
  return withEnvironment(secrets, command);
}

/** Removes a one-off container whose docker command was killed: the container would continue. */
export function removeOneOff(name: string): Body {
  return [...docker("rm", "--force", name), raw(">/dev/null 2>&1 || true")];
}

/**
 * Removes one-off containers that do not run: detached ones that have ended, and those that were never started, as after a
 * lost connection. New ones may be about to start.
 */
export function removeStopped(service: string): Body {
  const filters = ["--filter", `label=${LABEL}=${service}`, "--filter", "until=30s"];
  return [...docker("container", "prune", "--force", ...filters), raw(">/dev/null")];
}

/** Prints id and name of each one-off container of the service. */
export function listOneOff(service: string): Command {
  const filter = ["--filter", `label=${LABEL}=${service}`];
  return docker("ps", "--all", "--no-trunc", ...filter, "--format", "{{.ID}} {{.Names}}");
}
