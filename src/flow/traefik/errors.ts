import { CommandFailedError, ExitCode, MrskError } from "../../errors.ts";
import { ExitStatus } from "../../shell/exit-status.ts";

/** Turns an error of a step on Traefik's container into a message with a hint. */
export function traefikError(error: unknown): unknown {
  if (!(error instanceof CommandFailedError)) return error;
  const { host, output, status } = error;
  if (/port is already allocated|address already in use/i.test(output)) {
    const hint = "Another program or container on that server uses the port: stop it, or set traefik.host_port.";
    return new MrskError(ExitCode.remote, error.message, { hint, cause: error });
  }
  if (status === ExitStatus.NOT_REPLACED) {
    const hint = "Fix the `traefik` section of deploy.yml, then reboot again.";
    const text = `${host}: Traefik was not replaced, the old Traefik keeps serving\n${output.trim()}`;
    return new MrskError(ExitCode.remote, text, { hint, cause: error });
  }
  if (status === ExitStatus.BEING_REPLACED) {
    return new MrskError(ExitCode.remote, `${host}: ${output.trim()}`, {
      hint: "Wait a moment, then run this again.",
      cause: error,
    });
  }
  if (/No such container: traefik/i.test(output)) {
    return new MrskError(ExitCode.remote, `${host}: there is no Traefik`, {
      hint: "Run `mrsk traefik boot`.",
      cause: error,
    });
  }
  return error;
}

/** Runs `work` and throws its error as `traefikError` returns it. */
export async function withTraefikErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw traefikError(error);
  }
}
