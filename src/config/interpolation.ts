import type { Mistake } from "./issues.ts";
import type { Path } from "./yaml/tree.ts";

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?[-?+][^}]*)?\}/;

/** Keys below which `${NAME}` is replaced on the host, and keys whose value a shell gets. */
const ON_THE_HOST = new Set(["env", "labels", "options", "volumes"]);
const FOR_A_SHELL = new Set(["cmd", "command", "proxy_command", "release"]);

interface Text {
  readonly path: Path;
  readonly text: string;
}

/** A mistake for each `${NAME}` that nothing replaces. The configuration files of other tools allow them anywhere. */
export function interpolationMistakes(written: unknown): Mistake[] {
  return textsOf(written, []).flatMap(({ path, text }) => {
    const [whole, name] = VARIABLE.exec(text) ?? [];
    if (whole === undefined || name === undefined || isReplaced(path)) return [];
    // A password may contain these characters, and no message may show a part of it.
    if (mayBeSecret(path) && whole !== text) return [];
    return [{ path, message: `${whole} is not replaced here: write ${advice(path, name)}` }];
  });
}

/**
 * A note for each `${NAME}` that gets the host's variable, although a `.env` file of this machine has that name too.
 * @param isInEnvFile whether a `.env` file has the name
 */
export function interpolationNotes(
  written: unknown,
  isInEnvFile: (name: string) => boolean,
  placeOf: (path: Path) => string,
): string[] {
  return textsOf(written, []).flatMap(({ path, text }) => {
    const [whole, name] = VARIABLE.exec(text) ?? [];
    if (whole === undefined || name === undefined || !isOnTheHost(path) || !isInEnvFile(name)) return [];
    return [
      `${placeOf(path)}: ${path.join("/")}: ${whole} is the host's variable: for the value in .env, write ${advice(path, name)}`,
    ];
  });
}

function isReplaced(path: Path): boolean {
  if (path[0] === "aliases" || FOR_A_SHELL.has(lastName(path))) return true;
  return isOnTheHost(path) && !isSecretName(path);
}

function isOnTheHost(path: Path): boolean {
  if (path[0] === "builder") return false;
  return path.some((part) => ON_THE_HOST.has(String(part))) || (path[0] === "traefik" && path[1] === "args");
}

function isSecretName(path: Path): boolean {
  return lastName(path) === "secret" || lastName(path) === "secrets";
}

function mayBeSecret(path: Path): boolean {
  return isCredential(path) || path[0] === "builder" || (path[0] === "ssh" && path[1] === "key_data");
}

function isCredential(path: Path): boolean {
  return path[0] === "registry" && path[1] !== "server";
}

function advice(path: Path, name: string): string {
  const listed = typeof path.at(-1) === "number";
  if (isSecretName(path) || (isCredential(path) && listed)) return `${name}, the name of the variable`;
  return isCredential(path) ? `[${name}], the name of the variable` : `<%= ENV["${name}"] %>`;
}

function lastName(path: Path): string {
  return String(path.findLast((part) => typeof part === "string"));
}

function textsOf(value: unknown, path: Path): Text[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, below]) => textsOf(below, [...path, key]));
}
