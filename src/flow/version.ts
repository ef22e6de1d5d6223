import { attempt, script } from "../commands/script.ts";
import { UsageError } from "../errors.ts";
import type { ScriptHost } from "../hosts/host.ts";
import type { Run } from "./run.ts";

/** What git says about the working directory. */
export interface GitState {
  /** Full HEAD sha; undefined without a repository or a commit. */
  readonly revision: string | undefined;
  /** Paths that differ from HEAD, new ones too; relative to the repository. */
  readonly changes: readonly string[];
  /** `git config user.name`; empty without. */
  readonly userName: string;
}

export async function gitState(local: ScriptHost): Promise<GitState> {
  const result = await local.run(
    script("Git", [
      attempt("Revision", ["git", "rev-parse", "HEAD"]),
      attempt("Changes", ["git", "status", "--porcelain"]),
      attempt("User", ["git", "config", "user.name"]),
    ]),
  );
  const revision = result.status("Revision") === 0 ? result.text("Revision") : undefined;
  // Two letters and a space stand before each path; the first line's leading blank is trimmed away.
  const changes = result.text("Changes").split("\n").filter(Boolean);
  return {
    revision,
    changes: changes.map((line) => line.replace(/^\s*\S{1,2}\s+/, "")),
    userName: result.text("User"),
  };
}

/**
 * What a build takes: without `builder.context` a clone of HEAD, and then `changes` are the paths that it leaves out.
 * `revision` is undefined where it takes the folder as it is: with a context, or without a repository.
 */
export async function builtRevision(run: Run): Promise<Pick<GitState, "revision" | "changes">> {
  const { revision, changes } = await run.git();
  if (run.config.builder.contextGiven || revision === undefined) return { revision: undefined, changes: [] };
  return { revision, changes };
}

export interface VersionQuestion {
  /** `--version`, else the environment's `VERSION`; an empty value counts as unset. */
  readonly named: string | undefined;
  readonly git: () => Promise<GitState>;
  readonly newId: (digits: number) => string;
  readonly cwd: string;
  /** Whether the folder is built as it is (`builder.context`), and not its last commit. */
  readonly ofFolder: boolean;
}

/**
 * The version to deploy: the one that was named, else the git revision; with `_uncommitted_` and 16 hex digits when the
 * folder is built and has changes.
 */
export async function appVersion({ named, git, newId, cwd, ofFolder }: VersionQuestion): Promise<string> {
  if (named) return checkedVersion(named);
  const { revision, changes } = await git();
  if (revision === undefined) {
    throw new UsageError(`Can't use commit hash as version, no git repository found in ${cwd}`, {
      hint: "Commit your work first, or name a version with --version.",
    });
  }
  return ofFolder && changes.length > 0 ? `${revision}_uncommitted_${newId(16)}` : revision;
}

/** @throws UsageError when docker would not take it as a tag */
export function checkedVersion(version: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(version)) {
    throw new UsageError(`'${version}' cannot be a version: docker tags are letters, digits, _, . and -, at most 128`);
  }
  return version;
}
