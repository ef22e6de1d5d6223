import { execFileSync, spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checkOut, cloneFolder, projectIn } from "../../src/commands/checkout.ts";
import { line } from "./config.ts";

/** Real git, without the settings of the user who runs the tests. */
export class Repositories {
  readonly folder = mkdtempSync(join(tmpdir(), "mrsk-checkout-"));
  readonly environment: NodeJS.ProcessEnv = {
    ...process.env,
    HOME: join(this.folder, "home"),
    TMPDIR: join(this.folder, "tmp"),
    GIT_CONFIG_NOSYSTEM: "1",
  };
  private clones = 0;

  constructor() {
    for (const name of ["home", "tmp"]) mkdirSync(join(this.folder, name));
    this.settings({});
  }

  /** The global settings of git. */
  settings(more: Record<string, string>): void {
    const all = { "user.name": "T", "user.email": "t@example.com", "init.defaultBranch": "main", ...more };
    writeFileSync(join(this.folder, "home/.gitconfig"), "");
    for (const [name, value] of Object.entries(all)) this.git(this.folder, "config", "--global", name, value);
  }

  git(cwd: string, ...words: readonly string[]): string {
    const given = ["-c", "protocol.file.allow=always", ...words];
    const { environment: env } = this;
    return execFileSync("git", given, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  }

  /** A repository with one commit. @returns its path */
  make(name: string, files: Readonly<Record<string, string>>): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    write(path, files);
    this.git(path, "init", "-q");
    this.commit(path, "first");
    return path;
  }

  commit(path: string, message: string): void {
    this.git(path, "add", "-A");
    this.git(path, "commit", "-qm", message);
  }

  head(path: string): string {
    return this.git(path, "rev-parse", "HEAD");
  }

  /** Clones `cwd` as a build does. */
  clone(
    cwd: string,
    { revision = this.head(cwd), environment = {}, umask = "022" }: CloneOptions = {},
  ): { readonly path: string; readonly status: number | null; readonly printed: string; readonly stderr: string } {
    const place = cloneFolder("app", `${this.clones++}`);
    const script = `umask ${umask}\n( set -e\n${line(checkOut(revision, place))}\n)\ns=$?\necho ${line(projectIn(place))}\nexit $s`;
    const env = { ...this.environment, ...environment };
    const { stdout, stderr, status } = spawnSync("/bin/sh", ["-c", script], { cwd, encoding: "utf8", env });
    const printed = stdout.trim().split("\n");
    return { path: printed.at(-1)!, status, printed: printed.slice(0, -1).join("\n"), stderr: stderr.trim() };
  }
}

interface CloneOptions {
  readonly revision?: string;
  readonly environment?: NodeJS.ProcessEnv;
  readonly umask?: string;
}

export function write(path: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
}

/** Mode, path and content of each file outside of `.git`: `100644 a/b "text"`. */
export function treeOf(path: string): string[] {
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).filter(
    (name) => !/(^|\/)\.git(\/|$)/.test(name),
  );
  return names.toSorted().flatMap((name) => {
    const stat = lstatSync(join(path, name));
    if (stat.isDirectory()) return [];
    const content = stat.isSymbolicLink() ? readlinkSync(join(path, name)) : readFileSync(join(path, name), "latin1");
    return [`${stat.mode.toString(8)} ${name} ${JSON.stringify(content)}`];
  });
}
