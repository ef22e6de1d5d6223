/** Variables that the shell, the dynamic loader and docker read: exporting one would change what a step does. */
const RESERVED_NAMES = new RegExp(
  `^(?:${[
    "PATH|HOME|IFS|ENV|PWD|OLDPWD|CDPATH|SHELL|PS4|PPID|UID|EUID|GROUPS|OPTIND|RANDOM|SECONDS|LINENO",
    "SHELLOPTS|BASHOPTS|BASH_.*|FUNCNAME|DIRSTACK|PIPESTATUS|HISTCMD|LD_.*|GODEBUG|SSL_CERT_(?:FILE|DIR)",
    "DOCKER_(?:HOST|CONTEXT|CONFIG|TLS|TLS_VERIFY|CERT_PATH|API_VERSION|DEFAULT_PLATFORM|AUTH_CONFIG|CUSTOM_HEADERS)",
    "DOCKER_CONTENT_TRUST(?:_SERVER)?|DOCKER_HIDE_LEGACY_COMMANDS|DOCKER_CLI_.*",
  ].join("|")})$`,
);

export const RESERVED = "docker or the shell on the host uses a variable of this name: choose another name";

export function isReserved(name: string): boolean {
  return RESERVED_NAMES.test(name);
}

/** Linux allows no argument and no `NAME=value` of 128 KiB or more, with its final NUL. */
const MOST_BYTES = 131_071;

export const TOO_LONG = `with its name it is longer than the ${MOST_BYTES} bytes that Linux takes`;

export function tooLong(text: string): boolean {
  return Buffer.byteLength(text) > MOST_BYTES;
}

/** Eleven days. A timer of Node that is set to more than 25 days fires immediately. */
export const MOST_SECONDS = 1_000_000;
