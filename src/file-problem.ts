/** The meaning of the error codes that users may cause. A call that fails with another code is a bug. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EISDIR: "it is a folder, not a file",
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "there is a file of that name already",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files (see `ulimit -n`)",
  ENFILE: "too many open files on this machine",
  EIO: "the disk has an error",
  EBUSY: "it is in use",
  EXDEV: "it is on another file system",
  ENOTEMPTY: "the folder is not empty",
};

const CALLS: Readonly<Record<string, string>> = {
  open: "open",
  read: "read",
  write: "write",
  mkdir: "make the folder",
  mkdtemp: "make the folder",
  scandir: "list the folder",
  rename: "replace",
  copyfile: "copy",
  unlink: "remove",
  rm: "remove",
  rmdir: "remove",
  chmod: "set the mode of",
};

const NO_DIRECTORY =
  "The working directory cannot be used: it was removed or moved, or may not be read. Change to the project's folder (`cd`) and run this again.";

/** Calls on an open file, whose errors contain no path. */
const PATHLESS: readonly string[] = ["read", "write"];

/** The reason why a file-system call failed, without the path; undefined for any other error. */
export function fileReason(error: unknown): string | undefined {
  return error instanceof Error ? REASONS[(error as NodeJS.ErrnoException).code ?? ""] : undefined;
}

/**
 * A failed file-system call as a sentence; undefined for any other error.
 * @param named the path, for errors that contain none
 */
export function fileProblem(error: unknown, named?: string): string | undefined {
  const reason = fileReason(error);
  if (!(error instanceof Error) || reason === undefined) return undefined;
  const { syscall = "", path = named } = error as NodeJS.ErrnoException;
  if (syscall === "uv_cwd") return NO_DIRECTORY;
  const isFile = (path !== undefined || PATHLESS.includes(syscall)) && !("address" in error);
  if (!isFile || syscall.startsWith("spawn")) return undefined;
  const { dest } = error as { dest?: string };
  const what = [path ?? "a file", dest].filter(Boolean).join(" to ");
  return `Cannot ${CALLS[syscall] ?? "use"} ${what}: ${reason}`;
}
