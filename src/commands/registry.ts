import type { Registry } from "../config/config.ts";
import type { Secret } from "../config/env/secret.ts";
import { type Body, type Command, docker, type Shell, sh } from "../script/command.ts";

/** The password goes to standard input: never an argument. */
export function login(registry: Registry, username: Secret, password: Secret): Shell {
  const server = registry.server === undefined ? [] : [registry.server];
  return sh`printf '%s' ${password} | ${docker("login", ...server, "-u", username, "--password-stdin")}`;
}

/**
 * Runs a pull with the login that docker has stored, and logs in only when that does not serve: most pulls need none.
 * What a failing pull says is shown.
 */
export function withLogin(pull: Command, logIn: Body): Shell {
  return sh`if said=$(${pull} 2>&1); then printf '%s\n' "$said"; exit 0; fi
case $said in
  *'no basic auth'*|*unauthorized*|*denied*|*'authentication required'*) ${logIn} >/dev/null; ${pull} ;;
  *) printf '%s\n' "$said" >&2; exit 1 ;;
esac`;
}

export function logout(registry: Registry): Command {
  return docker("logout", registry.server);
}
