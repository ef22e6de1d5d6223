/** Exit status of a shell that cannot work in the home directory, after a line that `homeProblem` reads. */
const NO_HOME = 98;

/**
 * What every shell on a host does first: a start-up file of the login shell may have changed the directory, and all paths
 * of ours are relative to the home directory.
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

/** Why a shell that ended with `NO_HOME` could not go home; undefined where it ended for another reason. */
export function homeProblem(status: number | string | undefined, said: string): string | undefined {
  return status === NO_HOME ? /^home: (the login user .*?)\r?$/m.exec(said)?.[1] : undefined;
}
