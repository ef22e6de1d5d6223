import { SshError } from "../errors.ts";

/** Exit status of a shell that cannot enter the home directory. It prints a line that `homeProblem` reads. */
const NO_HOME = 98;

/**
 * Every shell on a host runs this first: mrsk's paths are relative to the home directory, and a start-up file of the login
 * shell may have changed the directory.
 */
export const GO_HOME = String.raw`case $HOME in
  "") _o='has no home directory: HOME is not set' ;;
  *) _o=; cd "$HOME" >/dev/null 2>&1 ||
    if [ -d "$HOME" ]; then _o="may not enter its home directory $HOME"
    elif [ -e "$HOME" ]; then _o="has a home directory that is no directory: $HOME"
    else _o="has a home directory that does not exist: $HOME"; fi ;;
esac
[ -z "$_o" ] || { echo "home: the login user $(id -un) $_o"; exit ${NO_HOME}; }
`;

/** Why a shell could not enter the home directory; undefined if its status is not `NO_HOME`. */
function homeProblem(status: number | string | undefined, output: string): string | undefined {
  return status === NO_HOME ? /^home: (the login user .*?)\r?$/m.exec(output)?.[1] : undefined;
}

/** The login shell ended before the begin marker. @param output what it printed */
export function endedEarly(host: string, status: number | string | undefined, output: string): SshError {
  const text = output.trim();
  const problem = homeProblem(status, output);
  if (problem !== undefined) {
    const hint = "Create it, owned by that user, or set ssh.user: mrsk keeps its files there.";
    return new SshError(host, problem, { hint });
  }
  return new SshError(
    host,
    `the login shell ended (exit status ${status}) before it ran a command${text ? `\n${text}` : ""}`,
    {
      hint: "Check the login shell's start-up files (.bashrc, .profile), and whether the user may log in.",
    },
  );
}
