import { CommandFailedError, ExitCode, MrskError } from "../errors.ts";

/** A hint if a command failed because of a host's disk; undefined otherwise. */
export function diskHint(output: string): string | undefined {
  if (/no space left on device|disk quota exceeded/i.test(output)) {
    return "A disk of that host is full: `df -h` there shows which. `mrsk prune all` removes old images and containers.";
  }
  if (/read-only file system/i.test(output)) {
    return "A file system of that host is read-only: `mount` and `dmesg` there show which, and why.";
  }
  return undefined;
}

/** The same failure, with a hint if the login user could not write to the run directory. */
export function runDirectoryError(error: CommandFailedError, runDirectory: string): MrskError {
  const refused = /permission denied|not a directory|file exists|read-only file system/i.test(error.output);
  if (!refused) return error;
  return new MrskError(ExitCode.remote, error.message, {
    hint: `The login user must be able to write in the directory ${runDirectory} of its home directory: check owner and mode there (ls -ld . ${runDirectory}).`,
    cause: error,
  });
}
