import { call } from "../script/call.ts";
import type { Shell } from "../script/command.ts";
import type { Secret } from "../config/env/secret.ts";

/** Writes a live file atomically, with sudo if another login user created the directory. */
export function writeLiveFile(directory: string, name: string, text: string): Shell {
  return call("write_live_file", directory, name, text);
}

/** As `writeLiveFile`, for a file that no other user of the host can read: it may contain a private key. */
export function writePrivateLiveFile(directory: string, name: string, text: Secret): Shell {
  return call("write_live_file", directory, name, text, "private");
}

export function removeLiveFile(directory: string, name: string): Shell {
  return call("remove_live_file", directory, name);
}
