import { randomBytes } from "node:crypto";
import { HEARTBEAT, HEARTBEAT_MILLISECONDS, LOADER } from "../script/loader.ts";
import { ShellLibrary } from "../script/library.ts";
import { needsOfScript, renderScript, type Script, secretsOfScript } from "../script/script.ts";
import type { ScriptHost } from "./host.ts";
import type { RunOptions, ScriptResult } from "../script/result.ts";
import type { KnownSecrets } from "../script/known-secrets.ts";
import { ScriptRun, type StepEvents } from "../script/script-run.ts";

/** This machine, for docker builds, git and hooks. */
export class LocalHost implements ScriptHost {
  readonly name = "localhost";
  private readonly cwd: string;
  private readonly environment: Readonly<Record<string, string>>;
  private readonly events: StepEvents;

  private readonly known: KnownSecrets;

  /** @param known secrets to mask in events and errors, in addition to the secrets of a script */
  constructor(cwd: string, environment: Readonly<Record<string, string>>, events: StepEvents, known: KnownSecrets) {
    this.cwd = cwd;
    this.environment = environment;
    this.events = events;
    this.known = known;
  }

  async run(script: Script, options: RunOptions = {}): Promise<ScriptResult> {
    const nonce = randomBytes(12).toString("hex");
    const run = new ScriptRun(this.name, script, nonce, this.events, options, this.known.mask(secretsOfScript(script)));
    // In a new process group, because the script's watchdog ends the whole group.
    const { execa } = await import("execa");
    const child = execa("/bin/sh", ["-s"], {
      cwd: this.cwd,
      env: this.environment,
      extendEnv: false,
      detached: true,
      buffer: false,
      reject: false,
      encoding: "buffer",
      stdin: "pipe",
    });
    const cancel = () => void child.stdin.end();
    const feed = (stream: "stdout" | "stderr") => (bytes: Buffer) => {
      run.feed(stream, bytes);
      if (run.exit !== undefined) child.stdin.end();
    };
    child.stdout.on("data", feed("stdout"));
    child.stderr.on("data", feed("stderr"));
    const beat = setInterval(() => child.stdin.writable && child.stdin.write(HEARTBEAT), HEARTBEAT_MILLISECONDS);
    options.signal?.addEventListener("abort", cancel, { once: true });
    child.stdin.on("error", () => {});
    const library = new ShellLibrary().missing(needsOfScript(script));
    child.stdin.write(LOADER + library + renderScript(script, nonce));
    if (options.signal?.aborted) cancel();
    try {
      const { exitCode, signal } = await child;
      return run.finish(run.exit ?? exitCode, signal);
    } finally {
      clearInterval(beat);
      options.signal?.removeEventListener("abort", cancel);
    }
  }
}
