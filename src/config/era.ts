import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { isMap, type Written } from "./written.ts";

/**
 * Which programs a file was written for. They share the name of the file and half of the keys, but differ in defaults:
 * 1 is MRSK and Kamal 1, 2 is Kamal 2.
 */
export interface Era {
  readonly generation: 1 | 2;
  /** What decided: a key, a file, or `no key decides`. */
  readonly reason: string;
}

/** `Kamal 2 (builder.arch)`. */
export function eraText({ generation, reason }: Era): string {
  return `${generation === 2 ? "Kamal 2" : "MRSK and Kamal 1"} (${reason})`;
}

/**
 * Decides by the keys of the merged files. `builder.arch` is in every valid file of Kamal 2, and neither it nor `proxy` is
 * in a file of Kamal 1, so these two win. Kamal 2 refuses the keys of Kamal 1, so these come next. The other keys of
 * Kamal 2, and last its secrets files, decide for files that are incomplete.
 */
export function eraOf(written: Written, cwd: string): Era {
  const certain = first(written, CERTAIN_OF_KAMAL2);
  if (certain !== undefined) return { generation: 2, reason: certain };
  const old = first(written, OF_KAMAL1);
  if (old !== undefined) return { generation: 1, reason: old };
  const reason = first(written, OF_KAMAL2) ?? secretsFile(cwd);
  return reason === undefined ? { generation: 1, reason: "no key decides" } : { generation: 2, reason };
}

/** A path with `*` for any name, and a test of the value. */
type Sign = readonly [path: string, fits?: (value: unknown) => boolean];

const CERTAIN_OF_KAMAL2: readonly Sign[] = [["builder.arch"], ["proxy"], ["servers.*.proxy"]];

const OF_KAMAL1: readonly Sign[] = [
  ["traefik"],
  ["servers.*.traefik"],
  ["healthcheck"],
  ["servers.*.healthcheck"],
  ["stop_wait_time"],
  ["builder.multiarch"],
  ["builder.local", isMap],
  ["builder.remote", isMap],
];

const OF_KAMAL2: readonly Sign[] = [
  ["deploy_timeout"],
  ["stop_timeout"],
  ["servers.*.stop_timeout"],
  ["secrets_path"],
  ["hooks_output"],
  ["error_pages_path"],
  ["output"],
  ["builder.remote", (value) => typeof value === "string"],
  ["builder.local", (value) => typeof value === "boolean"],
  ["builder.driver"],
  ["builder.pack"],
  ["accessories.*.proxy"],
  ["accessories.*.registry"],
  ["registry", (value) => isMap(value) && isLocalRegistry(value["server"]) && !value["username"]],
  ["minimum_version", (value) => Number.parseInt(String(value), 10) >= 2],
];

/** The server of a registry on this machine, which Kamal starts itself. `localhost` without a port is none. */
export const LOCAL_SERVER = /^localhost:\d+$/;

export function isLocalRegistry(server: unknown): boolean {
  return typeof server === "string" && LOCAL_SERVER.test(server);
}

function first(written: Written, signs: readonly Sign[]): string | undefined {
  for (const [path, fits = () => true] of signs) {
    const found = find(written, path.split("."), fits);
    if (found !== undefined) return found.join(".");
  }
  return undefined;
}

/** The names on the way to the first value at the path that fits. */
function find(
  value: unknown,
  [name, ...rest]: readonly string[],
  fits: (value: unknown) => boolean,
): string[] | undefined {
  if (name === undefined) return fits(value) ? [] : undefined;
  if (!isMap(value)) return undefined;
  for (const key of name === "*" ? Object.keys(value) : [name]) {
    if (!Object.hasOwn(value, key)) continue;
    const below = find(value[key], rest, fits);
    if (below !== undefined) return [key, ...below];
  }
  return undefined;
}

const SECRETS = ".kamal/secrets";

/** The first secrets file of Kamal 2 in the project: `.kamal/secrets`, `.kamal/secrets-common`, `.kamal/secrets.D`. */
function secretsFile(cwd: string): string | undefined {
  const folder = resolve(cwd, dirname(SECRETS));
  if (!existsSync(folder)) return undefined;
  const found = readdirSync(folder).toSorted();
  const name = found.find((file) => /^secrets(?:-common|\..+)?$/.test(file));
  return name === undefined ? undefined : `${basename(folder)}/${name}`;
}
