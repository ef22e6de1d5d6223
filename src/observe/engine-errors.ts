import { CommandFailedError, ExitCode, MrskError } from "../errors.ts";

/** The error for a docker command that cannot be used at all; undefined if it failed for another reason. */
export function engineError(error: unknown): MrskError | undefined {
  if (!(error instanceof CommandFailedError)) return undefined;
  const podman = /^podman version .*/im.exec(error.output)?.[0];
  if (podman !== undefined) {
    return new MrskError(ExitCode.remote, `${error.host}: \`docker\` is Podman there (${podman.trim()}), not Docker`, {
      hint: "Docker Engine is needed: Traefik and the health checks depend on it. Remove the package podman-docker (or any other alias of podman), then run `mrsk server bootstrap`.",
      cause: error,
    });
  }
  if (!/permission denied/i.test(error.output)) return undefined;
  return new MrskError(ExitCode.remote, error.message, {
    hint: "The login user may not use docker: add it to the group docker there (usermod -aG docker USER), or set ssh.user.",
    cause: error,
  });
}
