import type { Registry } from "../config/config.ts";
import type { Secret } from "../config/secret.ts";
import { type Command, docker, type Shell, sh } from "./command.ts";

/** The password goes to standard input: never an argument. */
export function login(registry: Registry, username: Secret, password: Secret): Shell {
  const server = registry.server === undefined ? [] : [registry.server];
  return sh`printf '%s' ${password} | ${docker("login", ...server, "-u", username, "--password-stdin")}`;
}

export function logout(registry: Registry): Command {
  return docker("logout", registry.server);
}
