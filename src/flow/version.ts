import { UsageError } from "../errors.ts";
import type { GitState } from "./build/git.ts";

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
  const { revision, changes, problem } = await git();
  if (revision === undefined) {
    throw new UsageError(`Can't use commit hash as version, ${problem?.text ?? `no git repository found in ${cwd}`}`, {
      hint: `${problem?.advice ?? "Commit your work first"}, or name a version with --version.`,
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
