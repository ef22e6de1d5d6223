/** What the shell and docker read for themselves: a step that exports it would do something else, or nothing. */
const TAKEN_NAMES =
  /^(?:PATH|HOME|IFS|ENV|PWD|OLDPWD|CDPATH|SHELL|SHELLOPTS|BASHOPTS|BASH_ENV|PS4|UID|EUID|PPID|OPTIND|LD_(?:PRELOAD|LIBRARY_PATH|AUDIT)|DOCKER_(?:HOST|CONTEXT|CONFIG|TLS|TLS_VERIFY|CERT_PATH|API_VERSION|DEFAULT_PLATFORM))$/;

export const TAKEN = "docker or the shell on the host would take it for itself, so give it another name";

export function isTaken(name: string): boolean {
  return TAKEN_NAMES.test(name);
}

/** Linux takes no argument and no `NAME=value` of 128 KiB or more, its final NUL counted. */
const MOST_BYTES = 131_071;

export const TOO_LONG = `with its name it is longer than the ${MOST_BYTES} bytes that Linux takes`;

export function tooLong(text: string): boolean {
  return Buffer.byteLength(text) > MOST_BYTES;
}
