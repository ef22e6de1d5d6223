/** What the shell, the loader of programs and docker read for themselves: a step that exports it would do something else. */
const TAKEN_NAMES = new RegExp(
  `^(?:${[
    "PATH|HOME|IFS|ENV|PWD|OLDPWD|CDPATH|SHELL|PS4|PPID|UID|EUID|GROUPS|OPTIND|RANDOM|SECONDS|LINENO",
    "SHELLOPTS|BASHOPTS|BASH_.*|FUNCNAME|DIRSTACK|PIPESTATUS|HISTCMD|LD_.*|GODEBUG|SSL_CERT_(?:FILE|DIR)",
    "DOCKER_(?:HOST|CONTEXT|CONFIG|TLS|TLS_VERIFY|CERT_PATH|API_VERSION|DEFAULT_PLATFORM|AUTH_CONFIG|CUSTOM_HEADERS)",
    "DOCKER_CONTENT_TRUST(?:_SERVER)?|DOCKER_HIDE_LEGACY_COMMANDS|DOCKER_CLI_.*",
  ].join("|")})$`,
);

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
