import { raw, sh } from "../../script/command.ts";
import { attempt, script } from "../../script/script.ts";
import { UsageError } from "../../errors.ts";
import type { ScriptHost } from "../../hosts/host.ts";
import type { StepResult } from "../../script/result.ts";
import type { Run } from "../run.ts";

/** State of the git repository in the working directory. */
export interface GitState {
  /** Full HEAD sha; undefined without a repository or a commit, and if git cannot read them. */
  readonly revision: string | undefined;
  /** Paths that differ from HEAD, new paths included; relative to the repository. */
  readonly changes: readonly string[];
  /** `git config user.name`; empty if not set. */
  readonly userName: string;
  /** Why git cannot read the revision; undefined if it can, and without a repository. */
  readonly problem?: GitProblem | undefined;
}

interface GitProblem {
  /** A clause for an error message, followed by git's output. */
  readonly text: string;
  /** The beginning of a hint. */
  readonly advice: string;
  /** Whether there is a repository, as far as mrsk can find out. A build then uses its last commit. */
  readonly repository: boolean;
}

/** Exit status of a shell for an unknown command. */
const NOT_FOUND = 127;

/** Without git, prints the folder with the repository. Reports GIT_DIR, which a git hook sets to its own repository. */
const REVISION = sh`if ! command -v git >/dev/null; then
  folder=$PWD
  while [ -n "$folder" ] && [ ! -e "$folder/.git" ]; do folder=${raw("${folder%/*}")}; done
  echo "$folder"
  exit ${NOT_FOUND}
fi
LANGUAGE=C git rev-parse --verify HEAD || {
  status=$?
  [ -z "$GIT_DIR" ] || echo "GIT_DIR is set in the environment: $GIT_DIR" >&2
  exit "$status"
}`;

export async function gitState(local: ScriptHost): Promise<GitState> {
  const result = await local.run(
    script("Git", [
      attempt("Revision", REVISION, "revision"),
      // Git's settings may hide files that a build of the folder includes.
      attempt("Changes", ["git", "status", "--porcelain", "--untracked-files=normal"], "changes"),
      attempt("User", ["git", "config", "user.name"], "user"),
    ]),
  );
  const [revision, status] = result.steps;
  const problem = problemOf(revision!, status!);
  // Each path follows two letters and a space; the leading blank of the first line is trimmed.
  const changes = result.text("changes").split("\n").filter(Boolean);
  return {
    revision: result.status("revision") === 0 && !problem ? result.text("revision") : undefined,
    changes: changes.map((line) => line.replace(/^\s*\S{1,2}\s+/, "")),
    userName: result.text("user"),
    ...(problem ? { problem } : {}),
  };
}

function problemOf(revision: StepResult, changes: StepResult): GitProblem | undefined {
  if (revision.status === NOT_FOUND) {
    return { text: "git is not installed here", advice: "Install git", repository: revision.stdout.trim() !== "" };
  }
  const stderr = (revision.status === 0 ? changes : revision).stderr.trim();
  if (revision.status === 0 && changes.status === 0) return undefined;
  if (/not a git repository \(or any/.test(stderr)) return undefined;
  if (/Needed a single revision/.test(stderr)) {
    return { text: "the git repository has no commit yet", advice: "Commit your work first", repository: true };
  }
  const proposed = /^\s*(git config --global --add safe\.directory .+)$/m.exec(stderr)?.[1];
  const advice =
    proposed === undefined ? "Fix the problem that git reports" : `If you trust its owner, run \`${proposed}\``;
  return { text: `git cannot read the repository:\n${stderr}`, advice, repository: true };
}

/**
 * The commit that a build uses. `revision` is undefined if it uses the folder as it is: with `builder.context`, or without
 * a repository. Otherwise `changes` are the uncommitted paths, which the build does not include.
 * @throws UsageError if git cannot read the last commit
 */
export async function builtRevision(run: Run): Promise<Pick<GitState, "revision" | "changes">> {
  const { revision, changes, problem } = await run.git();
  if (run.config.builder.contextGiven) return { revision: undefined, changes: [] };
  if (problem?.repository) {
    throw new UsageError(`The last commit cannot be built, ${problem.text}`, {
      hint: `${problem.advice}, or set builder.context: . to build the folder as it is.`,
    });
  }
  return revision === undefined ? { revision, changes: [] } : { revision, changes };
}
