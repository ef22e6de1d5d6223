import { call } from "../script/call.ts";
import type { Shell } from "../script/command.ts";

/**
 * Installs Docker and curl if they are missing, and adds the login user to the group docker. Prints what it did. Exits
 * with NOT_ALLOWED if the login user may not install anything, with NOT_DOCKER and its version if `docker` is another
 * program.
 */
export function installDocker(): Shell {
  return call("install_docker");
}
