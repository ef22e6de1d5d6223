import type { Registry } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { type Body, type Command, docker, type Shell, sh } from "../script/command.ts";

/** Logs in. The password goes to standard input, because every user of the host can read arguments. */
export function login(registry: Registry, username: Secret, password: Secret): Shell {
  const server = registry.server === undefined ? [] : [registry.server];
  return sh`printf '%s' ${password} | ${docker("login", ...server, "-u", username, "--password-stdin")}`;
}

/**
 * Runs a pull with docker's stored login, and logs in only if the registry refuses that: most pulls need no login. Prints
 * the error of a failed pull.
 */
export function withLogin(pull: Command, logIn: Body): Shell {
  return sh`if out=$(${pull} 2>&1); then printf '%s\n' "$out"; exit 0; fi
case $out in
  *'no basic auth'*|*unauthorized*|*denied*|*'authentication required'*) ${logIn} >/dev/null; ${pull} ;;
  *) printf '%s\n' "$out" >&2; exit 1 ;;
esac`;
}

export function logout(registry: Registry): Command {
  return docker("logout", registry.server);
}
