import { spawn } from "node:child_process";
import { Duplex } from "node:stream";

/** The standard streams of a command that makes the connection. */
export function viaCommand(command: string): Duplex {
  const child = spawn("/bin/sh", ["-c", `exec ${command}`], { stdio: ["pipe", "pipe", "inherit"] });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  stream.on("close", () => {
    child.kill();
    // A command that ignores the signal must not keep this process alive.
    child.unref();
  });
  child.on("error", (error) => stream.destroy(error));
  return stream;
}
