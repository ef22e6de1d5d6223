import { spawn } from "node:child_process";

export const NONCE = "00ff";

/** Starts a shell as a host does: with the text on standard input, which stays open. `closed` has `@` for each nonce that was printed. */
export function start(text: string, shell: readonly string[] = ["/bin/sh"]) {
  const child = spawn(shell[0]!, [...shell.slice(1), "-s"], { detached: true, stdio: ["pipe", "pipe", "ignore"] });
  let stdout = "";
  const waiting = new Set<() => void>();
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (more: string) => {
    stdout += more;
    for (const check of waiting) check();
  });
  child.stdin.write(text);
  return {
    pid: child.pid!,
    send: (more: string) => void child.stdin.write(more),
    end: () => void child.stdin.end(),
    printed: (what: string) =>
      new Promise<void>((resolve) => {
        const check = () => void (stdout.includes(what) && (resolve(), waiting.delete(check)));
        waiting.add(check);
        check();
      }),
    closed: new Promise<{ status: number | null; stdout: string }>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status) => resolve({ status, stdout: stdout.replaceAll(`\x1e${NONCE} `, "@") }));
    }),
  };
}
