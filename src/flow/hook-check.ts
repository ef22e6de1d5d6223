import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { DEFAULTS } from "../config/defaults.ts";
import { didYouMean, near } from "../spelling.ts";
import { type HookName, HOOKS } from "./hook.ts";
import type { Run } from "./run.ts";

/** Warns of what looks like a hook and does not run, or cannot, before anything happens. Nothing with `-H`. */
export function warnAboutHooks(run: Run): void {
  if (run.skipHooks) return;
  for (const text of hookProblems(run.cwd, run.config.hooksPath)) run.report({ kind: "warning", text });
}

/** One sentence for each file. @param folder relative to `cwd`, as the configuration has it */
function hookProblems(cwd: string, folder: string): string[] {
  const path = resolve(cwd, folder);
  if (!existsSync(path)) return unread(cwd, folder);
  if (!statSync(path).isDirectory()) return [`${folder} is no folder: no hook runs`];
  const names = namesIn(path);
  if (names === undefined) return [`${folder} cannot be read: no hook in it can be checked`];
  return names
    .filter((name) => !isSetAside(name))
    .flatMap((name) => {
      const problem = isHook(name) ? hookProblem(resolve(path, name)) : strangerProblem(resolve(path, name), name);
      return problem === undefined ? [] : [`${folder}/${name} ${problem}`];
    });
}

function namesIn(path: string): string[] | undefined {
  try {
    return readdirSync(path);
  } catch {
    return undefined;
  }
}

const KAMALS_FOLDER = ".kamal/hooks";

/** A folder that is not there: one that the configuration names, or the one that Kamal has. */
function unread(cwd: string, folder: string): string[] {
  if (folder !== DEFAULTS.hooksPath) return [`${folder} (hooks_path) does not exist: no hook runs`];
  if (!HOOKS.some((hook) => existsSync(resolve(cwd, KAMALS_FOLDER, hook)))) return [];
  return [`the hooks in ${KAMALS_FOLDER} do not run: write hooks_path: ${KAMALS_FOLDER}`];
}

/** Names that say that the file is not to run. */
function isSetAside(name: string): boolean {
  return name.startsWith(".") || /(?:\.(?:sample|disabled|off|bak|orig)|~)$/.test(name);
}

function isHook(name: string): name is HookName {
  return HOOKS.some((hook) => hook === name);
}

function strangerProblem(path: string, name: string): string | undefined {
  const meant = near(name.replace(/\.[^.]+$/, ""), HOOKS);
  if (meant.length === 0 && !isProgram(path)) return undefined;
  return `does not run: there is no hook of that name. ${didYouMean(meant) ?? `The hooks are ${HOOKS.join(", ")}.`}`;
}

function hookProblem(path: string): string | undefined {
  if (!existsSync(path)) return "does not run: it is a link to a file that does not exist";
  if (statSync(path).isDirectory()) return "is a folder: it cannot run";
  if (!isProgram(path)) return "is not executable, and fails when its turn comes: chmod +x it";
  return startProblem(firstBytes(path));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Why the kernel or the shell cannot start a file that begins so. */
function startProblem(text: string): string | undefined {
  const [line = ""] = text.split("\n", 1);
  if (line.endsWith("\r")) return "has lines that end with CRLF, and cannot run: save it with LF line ends";
  if (line.startsWith("\uFEFF")) return "begins with a byte order mark, and cannot run: save it as UTF-8 without one";
  const interpreter = /^#!\s*(\/\S+)/.exec(line)?.[1];
  if (interpreter === undefined || existsSync(interpreter)) return undefined;
  return `cannot run: its interpreter ${interpreter} does not exist on this machine`;
}

function firstBytes(path: string): string {
  const bytes = Buffer.alloc(256);
  try {
    const file = openSync(path, "r");
    const length = readSync(file, bytes);
    closeSync(file);
    return bytes.toString("utf8", 0, length);
  } catch {
    return "";
  }
}
