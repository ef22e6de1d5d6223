import type { Environment, Options } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { ExitCode, MrskError } from "../errors.ts";
import type { Word } from "../script/command.ts";
import { expandable, volume } from "./expansion.ts";

export { words } from "../config/words.ts";
export { expandable } from "./expansion.ts";

/** `name key=value` for each pair; the host's shell expands `${NAME}`. An empty value gives the bare key, as in MRSK. */
export function labelled(name: string, pairs: Iterable<readonly [string, string]>): Word[] {
  return Array.from(pairs).flatMap(([key, value]) => [name, value === "" ? key : expandable(`${key}=${value}`)]);
}

/** `--label key=value` for labels whose `${NAME}`s are already replaced: the shell expands nothing. */
export function resolvedLabels(labels: Iterable<readonly [string, string]>): Word[] {
  return Array.from(labels).flatMap(([key, value]) => ["--label", value === "" ? key : `${key}=${value}`]);
}

export function volumeFlags(volumes: Iterable<string>): Word[] {
  return Array.from(volumes).flatMap((text) => ["--volume", volume(text)]);
}

/** `name item` for each item. */
export function each(name: string, items: Iterable<string>): Word[] {
  return Array.from(items).flatMap((item) => [name, item]);
}

/**
 * `-e NAME` for secrets, whose values are in the environment of the command (`secretsOf`), then `-e NAME=value`. If a name
 * is both, the secret wins.
 */
export function envFlags(env: Environment): Word[] {
  const clear = Array.from(env.clear).filter(([name]) => !env.secret.includes(name));
  return [...each("-e", env.secret), ...clear.flatMap(([name, value]) => ["-e", expandable(`${name}=${value}`)])];
}

/** The pairs for `withEnvironment` that belong to `envFlags`. @throws MrskError for a name that is not resolved (a bug) */
export function secretsOf(env: Environment, resolved: ReadonlyMap<string, Secret>): (readonly [string, Secret])[] {
  return env.secret.map((name) => {
    const source = env.sources?.get(name) ?? name;
    const secret = resolved.get(source);
    if (!secret) throw new MrskError(ExitCode.bug, `secret ${source} was not resolved`);
    return [name, secret];
  });
}

/** `--key value`; `--key` for true; repeated for a list. */
export function optionFlags(options: Options): Word[] {
  return Array.from(options).flatMap(([key, value]) => {
    if (value === true) return [`--${key}`];
    return (typeof value === "string" ? [value] : value).flatMap((item) => [`--${key}`, expandable(item)]);
  });
}

/** `--key=value`, the form of Traefik's flags. `${NAME}` is not expanded. */
export function assignedFlags(options: Options): string[] {
  return Array.from(options).flatMap(([key, value]) => {
    if (value === true) return [`--${key}`];
    return (typeof value === "string" ? [value] : value).map((item) => `--${key}=${item}`);
  });
}
