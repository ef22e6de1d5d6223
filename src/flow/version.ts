import { UsageError } from "../errors.ts";
import type { GitState } from "./build/git.ts";

export interface VersionSources {
  /** `--version`, otherwise the environment's `VERSION`; an empty value counts as unset. */
  readonly named: string | undefined;
  readonly git: () => Promise<GitState>;
  readonly newId: (digits: number) => string;
  readonly cwd: string;
  /** Whether the build uses the folder as it is (`builder.context`), not its last commit. */
  readonly ofFolder: boolean;
}

/**
 * The version to deploy: the named version, otherwise the git revision. `_uncommitted_` and 16 hex digits are appended
 * if the folder is built and has changes.
 */
export async function appVersion({ named, git, newId, cwd, ofFolder }: VersionSources): Promise<string> {
  if (named) return checkedVersion(named);
  const { revision, changes, problem } = await git();
  if (revision === undefined) {
    throw new UsageError(`Can't use commit hash as version, ${problem?.text ?? `no git repository found in ${cwd}`}`, {
      hint: `${problem?.advice ?? "Commit your work first"}, or name a version with --version.`,
    });
  }
  return ofFolder && changes.length > 0 ? `${revision}_uncommitted_${newId(16)}` : revision;
}

/** @throws UsageError if it is not a valid docker tag */
export function checkedVersion(version: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(version)) {
    throw new UsageError(
      `'${version}' is not a valid version: docker tags have letters, digits, _, . and -, at most 128`,
    );
  }
  return version;
}
