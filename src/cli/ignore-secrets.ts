import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Rule {
  readonly line: string;
  /** A line that does the same. */
  readonly present: RegExp;
  /** A line with an exception. */
  readonly exception: RegExp;
  /** Files without secrets that belong to the project: examples, and templates whose commands fetch values. */
  readonly allowed: Readonly<Record<IgnoreFile, readonly string[]>>;
}

type IgnoreFile = ".gitignore" | ".dockerignore";

const ENV: Rule = {
  line: ".env*",
  present: /^(?:\/|\*\*\/)?\.env\*$/,
  exception: /^!\/?(?:\*\*\/)?\.env/,
  allowed: { ".gitignore": ["!.env.example", "!.env*.erb"], ".dockerignore": ["!.env.example"] },
};

const SECRETS: Rule = {
  line: ".kamal/secrets*",
  present: /^(?:\/|\*\*\/)?\.kamal(?:\/secrets\*|\/?|\/\*)$/,
  exception: /^!\/?(?:\*\*\/)?\.kamal\/secrets/,
  allowed: { ".gitignore": ["!.kamal/secrets.example"], ".dockerignore": ["!.kamal/secrets.example"] },
};

/**
 * Keeps `.env` files, and with `kamalSecrets` those of Kamal, out of git and of images: adds the missing lines to
 * `.gitignore` and `.dockerignore`.
 * @returns the files that it changed, and the lines without the exceptions
 */
export function ignoreSecrets(cwd: string, kamalSecrets: boolean): [IgnoreFile, string[]][] {
  const rules = kamalSecrets ? [ENV, SECRETS] : [ENV];
  return ([".gitignore", ".dockerignore"] as const).flatMap((name) => {
    const added = rules.filter((rule) => add(join(cwd, name), rule, rule.allowed[name]));
    return added.length === 0 ? [] : [[name, added.map(({ line }) => line)]];
  });
}

function add(path: string, { line, present, exception }: Rule, allowed: readonly string[]): boolean {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = text.split(/\r?\n/).map((one) => one.trim());
  if (lines.some((one) => present.test(one))) return false;
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  // The last matching line decides, so the exceptions that the file has are repeated below the new line.
  const exceptions = lines.filter((one) => exception.test(one));
  const added = [line, ...new Set([...exceptions, ...allowed])].map((one) => one + end).join("");
  writeFileSync(path, text + (text === "" || text.endsWith("\n") ? "" : end) + added);
  return true;
}
