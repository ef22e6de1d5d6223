import { call } from "../script/call.ts";
import type { Shell } from "../script/command.ts";

/**
 * Docker and curl, where they are missing; the login user then joins the docker group. Prints what it did. Ends with
 * NOT_ALLOWED where the login user may not install anything, with NOT_DOCKER and its version where another program has the
 * name docker.
 */
export function installDocker(): Shell {
  return call("install_docker");
}
