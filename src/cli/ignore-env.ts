import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What is no secret and belongs to the project: how a `.env` looks, and templates whose commands fetch the values. */
const SHOWN = { ".gitignore": ["!.env.example", "!.env*.erb"], ".dockerignore": ["!.env.example"] };

/**
 * Keeps `.env` files out of git and of images: adds to `.gitignore` and `.dockerignore` what is missing there.
 * @returns the files that it changed
 */
export function ignoreEnv(cwd: string): string[] {
  return ([".gitignore", ".dockerignore"] as const).filter((name) => add(join(cwd, name), SHOWN[name]));
}

function add(path: string, shown: readonly string[]): boolean {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  if (lines.some((line) => /^(?:\/|\*\*\/)?\.env\*$/.test(line))) return false;
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  // The last line that matches decides: what was an exception before stays one.
  const exceptions = lines.filter((line) => /^!\/?(?:\*\*\/)?\.env/.test(line));
  const added = [".env*", ...new Set([...exceptions, ...shown])].map((line) => line + end).join("");
  writeFileSync(path, text + (text === "" || text.endsWith("\n") ? "" : end) + added);
  return true;
}
