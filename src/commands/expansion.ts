import type { Config, Options } from "../config/config.ts";
import { quote, type Raw, raw } from "../script/command.ts";

const EXPANSION = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}/g;

/** Names of the `${NAME}`s in the texts, without duplicates. */
function expansionNames(texts: Iterable<string>): string[] {
  const names = Array.from(texts).flatMap((text) => Array.from(text.matchAll(EXPANSION), (match) => match[1]!));
  return [...new Set(names)];
}

/** Replaces `${NAME}` and `${NAME:-default}`, as MRSK let the server's shell do. An unknown name becomes empty. */
export function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(
    EXPANSION,
    (_, name: string, fallback: string | undefined) => values.get(name) || (fallback ?? ""),
  );
}

/** One argument in which the host's shell expands only `${NAME}`. MRSK did not escape `${…}` either. */
export function expandable(text: string): string | Raw {
  const matches = Array.from(text.matchAll(EXPANSION));
  if (matches.length === 0) return text;
  let out = "";
  let end = 0;
  for (const match of matches) {
    out += literally(text.slice(end, match.index)) + variable(match[1]!, match[2]);
    end = match.index + match[0].length;
  }
  return raw(out + literally(text.slice(end)));
}

function literally(text: string): string {
  return text === "" ? "" : quote(text);
}

function variable(name: string, fallback: string | undefined): string {
  if (fallback === undefined) return `"\${${name}}"`;
  return `"\${${name}:-${fallback.replaceAll(/["$`\\]/g, String.raw`\$&`)}}"`;
}

/** A volume as one argument. MRSK did not quote volumes, so `$PWD/x:y`, `$(pwd)/x:y` and `~/x:y` are expanded as well. */
export function volume(text: string): string | Raw {
  return expandable(volumeText(text));
}

function volumeText(text: string): string {
  return text
    .replace(/^~(?=\/|:)/, "${HOME}")
    .replaceAll("$(pwd)", "${PWD}")
    .replaceAll(/\$([A-Za-z_][A-Za-z0-9_]*)/g, "${$1}");
}

/** The names whose values on the host appear in labels, options, variables or volumes. */
export function expansions(config: Config): string[] {
  const { accessories, env, hostTraefik, logging, roles, traefik, volumes } = config;
  const traefiks = [traefik, ...(hostTraefik?.values() ?? [])];
  const units = [...roles, ...accessories, ...traefiks];
  return expansionNames([
    ...[...volumes, ...accessories.flatMap((accessory) => accessory.volumes)].map(volumeText),
    ...units.flatMap((unit) => [...unit.labels.values(), ...optionTexts(unit.options), ...unit.env.clear.values()]),
    ...traefiks.flatMap(({ args }) => optionTexts(args)),
    ...env.clear.values(),
    ...[logging, ...roles.flatMap((role) => role.logging ?? [])].flatMap(({ options }) => [...options.values()]),
  ]);
}

function optionTexts(options: Options): string[] {
  return [...options.values()].flatMap((value) => (value === true ? [] : value));
}
