import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Files without secrets that belong to the project: the example of a `.env`, and templates whose commands fetch values. */
const EXCEPTIONS = { ".gitignore": ["!.env.example", "!.env*.erb"], ".dockerignore": ["!.env.example"] };

/**
 * Keeps `.env` files out of git and of images: adds the missing lines to `.gitignore` and `.dockerignore`.
 * @returns the files that it changed
 */
export function ignoreEnv(cwd: string): string[] {
  return ([".gitignore", ".dockerignore"] as const).filter((name) => add(join(cwd, name), EXCEPTIONS[name]));
}

/** @param allowed lines with the exceptions */
function add(path: string, allowed: readonly string[]): boolean {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  if (lines.some((line) => /^(?:\/|\*\*\/)?\.env\*$/.test(line))) return false;
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  // The last matching line decides, so the exceptions that the file has are repeated below the new line.
  const exceptions = lines.filter((line) => /^!\/?(?:\*\*\/)?\.env/.test(line));
  const added = [".env*", ...new Set([...exceptions, ...allowed])].map((line) => line + end).join("");
  writeFileSync(path, text + (text === "" || text.endsWith("\n") ? "" : end) + added);
  return true;
}
