import { attempt, script } from "../commands/script.ts";
import { UsageError } from "../errors.ts";
import type { Host } from "../hosts/host.ts";

/** What git says about the working directory. */
export interface GitState {
  /** Full HEAD sha; undefined without a repository or a commit. */
  readonly revision: string | undefined;
  readonly uncommitted: boolean;
  /** `git config user.name`; empty without. */
  readonly userName: string;
}

export async function gitState(local: Host): Promise<GitState> {
  const result = await local.run(
    script("Git", [
      attempt("Revision", ["git", "rev-parse", "HEAD"]),
      attempt("Changes", ["git", "status", "--porcelain"]),
      attempt("User", ["git", "config", "user.name"]),
    ]),
  );
  const revision = result.status("Revision") === 0 ? result.text("Revision") : undefined;
  return { revision, uncommitted: result.text("Changes") !== "", userName: result.text("User") };
}

/**
 * The version to deploy: `given` (`--version`), else the environment's `VERSION`, else the git revision, with
 * `_uncommitted_` and 16 hex digits when the tree has changes. An empty value counts as unset.
 */
export async function appVersion(
  given: string | undefined,
  fromEnvironment: string | undefined,
  git: () => Promise<GitState>,
  newId: (digits: number) => string,
  cwd: string,
): Promise<string> {
  const named = given || fromEnvironment;
  if (named) return checkedVersion(named);
  const { revision, uncommitted } = await git();
  if (revision === undefined) {
    throw new UsageError(`Can't use commit hash as version, no git repository found in ${cwd}`, {
      hint: "Commit your work first, or name a version with --version.",
    });
  }
  return uncommitted ? `${revision}_uncommitted_${newId(16)}` : revision;
}

/** @throws UsageError when docker would not take it as a tag */
export function checkedVersion(version: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(version)) {
    throw new UsageError(`'${version}' cannot be a version: docker tags are letters, digits, _, . and -, at most 128`);
  }
  return version;
}
