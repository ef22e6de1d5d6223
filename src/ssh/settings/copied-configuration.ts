import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { expandTilde } from "./tokens.ts";
import { glob } from "./wildcards.ts";

/** OpenSSH's limit of nested `Include`s. */
const MAX_DEPTH = 16;

/**
 * Copies configuration files and their includes, so that this account owns them: OpenSSH refuses to include another
 * account's files. The copies are deleted after `work`.
 */
export async function withCopies<T>(
  files: readonly string[],
  home: string,
  work: (copies: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "mrsk-ssh-config-"));
  const copier = new Copier(folder, home);
  try {
    return await work(files.filter((file) => existsSync(file)).map((file) => copier.copy(file, 0)));
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw stderr === undefined ? error : Object.assign(error as Error, { stderr: copier.withOriginalNames(stderr) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class Copier {
  private readonly folder: string;
  private readonly home: string;
  private readonly originals = new Map<string, string>();

  constructor(folder: string, home: string) {
    this.folder = folder;
    this.home = home;
  }

  copy(file: string, depth: number): string {
    const copy = join(this.folder, `${this.originals.size}-${basename(file)}`);
    this.originals.set(copy, file);
    const lines = readFileSync(file, "utf8").split("\n");
    const unquoted = (words: string) =>
      [...words.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
    const text = lines.map((line) => {
      const words = depth < MAX_DEPTH ? /^\s*Include(?:\s*=\s*|\s+)(.*?)\s*$/i.exec(line)?.[1] : undefined;
      if (words === undefined) return line;
      const copies = unquoted(words).flatMap((word) => this.included(word, file, depth + 1));
      return copies.length === 0 ? "" : `Include ${copies.map((path) => `"${path}"`).join(" ")}`;
    });
    writeFileSync(copy, text.join("\n"), { mode: 0o600 });
    return copy;
  }

  withOriginalNames(text: string): string {
    return [...this.originals].reduce((named, [copy, file]) => named.replaceAll(copy, file), text);
  }

  private included(word: string, by: string, depth: number): string[] {
    const named = expandTilde(word, this.home);
    const base = by.startsWith("/etc/ssh/") ? "/etc/ssh" : join(this.home, ".ssh");
    const path = isAbsolute(named) ? named : join(base, named);
    return matching(path).map((file) => this.copy(file, depth));
  }
}

/** The files that match a path whose last part may be a pattern. */
function matching(path: string): string[] {
  const [folder, name] = [dirname(path), basename(path)];
  const isFile = (file: string) => statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  if (!/[*?]/.test(name)) return isFile(path) ? [path] : [];
  const pattern = glob(name);
  const names = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  return names
    .filter((one) => !one.startsWith(".") && pattern.test(one))
    .map((one) => join(folder, one))
    .filter(isFile);
}
