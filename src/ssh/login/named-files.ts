import { accessSync, constants, existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Ssh } from "../../config/config.ts";
import type { Mistake } from "../../config/issues.ts";
import { expandTilde } from "../settings/tokens.ts";

/** Problems with the files that `ssh.keys` and `ssh.config` name. */
export function namedFileMistakes({ keys, config }: Pick<Ssh, "keys" | "config">, home: string): Mistake[] {
  const files = typeof config === "boolean" ? [] : config;
  return [
    ...keys.flatMap((path, i) => mistake("keys", i, path, home, keyProblem)),
    ...files.flatMap((path, i) => mistake("config", i, path, home, fileProblem)),
  ];
}

function mistake(
  key: string,
  index: number,
  path: string,
  home: string,
  problem: (file: string) => string | undefined,
): Mistake[] {
  const message = problem(resolve(expandTilde(path, home)));
  return message === undefined ? [] : [{ path: ["ssh", key, index], message }];
}

/** A public key without its private key is fine: the agent may hold it. */
function keyProblem(file: string): string | undefined {
  if (!existsSync(file) && existsSync(`${file}.pub`)) return undefined;
  const problem = fileProblem(file);
  return problem?.endsWith("is a folder")
    ? `${problem}: name the private key in it, such as ${file}/id_ed25519`
    : problem;
}

function fileProblem(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return `there is no file ${file}`;
  if (found.isDirectory()) return `${file} is a folder`;
  try {
    accessSync(file, constants.R_OK);
    return undefined;
  } catch {
    return `${file} cannot be read by this user`;
  }
}
