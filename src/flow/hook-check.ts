import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { didYouMean, similarNames } from "../spelling.ts";
import { DEFAULT_FOLDERS, type HookName, hookFolders, HOOKS } from "./hook.ts";
import type { Run } from "./run.ts";

/** Warns about hooks that do not or cannot run. Called before any change. Does nothing with `-H`. */
export function warnAboutHooks(run: Run): void {
  if (run.skipHooks) return;
  const [first, second] = hookFolders(run);
  const hidden = second === undefined ? [] : (namesIn(resolve(run.cwd, first!)) ?? []);
  for (const text of hookProblems(run.cwd, first!)) run.report({ kind: "warning", text });
  for (const text of second === undefined ? [] : hookProblems(run.cwd, second, hidden)) {
    run.report({ kind: "warning", text });
  }
}

/**
 * @param folder relative to `cwd`, as configured
 * @param hidden names of hooks that do not run from this folder
 * @returns one sentence for each problem
 */
function hookProblems(cwd: string, folder: string, hidden: readonly string[] = []): string[] {
  const path = resolve(cwd, folder);
  if (!existsSync(path)) return missingFolderProblems(folder);
  if (!statSync(path).isDirectory()) return [`${folder} is not a folder: no hook runs`];
  const names = namesIn(path);
  if (names === undefined) return [`${folder} cannot be read: no hook in it can be checked`];
  return names
    .filter((name) => !isDisabled(name) && !hidden.includes(name))
    .flatMap((name) => {
      const problem = isHook(name) ? hookProblem(resolve(path, name)) : unknownHookProblem(resolve(path, name), name);
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

/** A missing folder is a problem if it is configured. */
function missingFolderProblems(folder: string): string[] {
  if (DEFAULT_FOLDERS.includes(folder)) return [];
  return [`${folder} (hooks_path) does not exist: no hook runs`];
}

/** Whether the name marks a file that must not run: `pre-deploy.sample`. */
function isDisabled(name: string): boolean {
  return name.startsWith(".") || /(?:\.(?:sample|disabled|off|bak|orig)|~)$/.test(name);
}

function isHook(name: string): name is HookName {
  return HOOKS.some((hook) => hook === name);
}

function unknownHookProblem(path: string, name: string): string | undefined {
  const similar = similarNames(name.replace(/\.[^.]+$/, ""), HOOKS);
  if (similar.length === 0 && !isProgram(path)) return undefined;
  return `does not run: there is no hook of that name. ${didYouMean(similar) ?? `The hooks are ${HOOKS.join(", ")}.`}`;
}

function hookProblem(path: string): string | undefined {
  if (!existsSync(path)) return "does not run: it is a link to a file that does not exist";
  if (statSync(path).isDirectory()) return "is a folder: it cannot run";
  if (!isProgram(path)) return "is not executable, so its run will fail: chmod +x it";
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

/** Why the kernel or the shell cannot start the file. @param text the file's first bytes */
function startProblem(text: string): string | undefined {
  const [line = ""] = text.split("\n", 1);
  if (line.endsWith("\r")) return "has CRLF line endings, and cannot run: save it with LF line endings";
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
