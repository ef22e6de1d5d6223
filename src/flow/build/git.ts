import { raw, sh } from "../../script/command.ts";
import { attempt, script } from "../../script/script.ts";
import { UsageError } from "../../errors.ts";
import type { ScriptHost, StepResult } from "../../hosts/host.ts";
import type { Run } from "../run.ts";

/** What git says about the working directory. */
export interface GitState {
  /** Full HEAD sha; undefined without a repository or a commit, and where git cannot read them. */
  readonly revision: string | undefined;
  /** Paths that differ from HEAD, new ones too; relative to the repository. */
  readonly changes: readonly string[];
  /** `git config user.name`; empty without. */
  readonly userName: string;
  /** Why there is no revision; undefined where there is one, or no repository. */
  readonly problem?: GitProblem | undefined;
}

interface GitProblem {
  /** Part of a sentence, and below it what git said. */
  readonly text: string;
  /** What to do: the first half of a sentence. */
  readonly advice: string;
  /** Whether there is a repository, as far as can be known: then its last commit is what a build takes. */
  readonly repository: boolean;
}

/** What a shell ends with that does not find a command. */
const NOT_FOUND = 127;

/** Prints the folder that has a repository where git itself is missing. GIT_DIR of a hook names the repository of the hook. */
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
      // Settings may hide files that a build of the folder takes.
      attempt("Changes", ["git", "status", "--porcelain", "--untracked-files=normal"], "changes"),
      attempt("User", ["git", "config", "user.name"], "user"),
    ]),
  );
  const [revision, status] = result.steps;
  const problem = problemOf(revision!, status!);
  // Two letters and a space stand before each path; the first line's leading blank is trimmed away.
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
  const said = (revision.status === 0 ? changes : revision).stderr.trim();
  if (revision.status === 0 && changes.status === 0) return undefined;
  if (/not a git repository \(or any/.test(said)) return undefined;
  if (/Needed a single revision/.test(said)) {
    return { text: "the git repository has no commit yet", advice: "Commit your work first", repository: true };
  }
  const proposed = /^\s*(git config --global --add safe\.directory .+)$/m.exec(said)?.[1];
  const advice = proposed === undefined ? "Resolve what git reports" : `If you trust its owner, run \`${proposed}\``;
  return { text: `git cannot read the repository:\n${said}`, advice, repository: true };
}

/**
 * What a build takes: without `builder.context` a clone of HEAD, and then `changes` are the paths that it leaves out.
 * `revision` is undefined where it takes the folder as it is: with a context, or without a repository.
 * @throws UsageError where there is a repository whose last commit is not to be had
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
