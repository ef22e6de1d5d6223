import { call } from "../script/call.ts";
import type { Shell } from "../script/command.ts";

/** Writes a live file atomically, with sudo if another login user created the directory. */
export function writeLiveFile(directory: string, name: string, text: string): Shell {
  return call("write_live_file", directory, name, text);
}

export function removeLiveFile(directory: string, name: string): Shell {
  return call("remove_live_file", directory, name);
}
