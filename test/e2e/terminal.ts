import { setTimeout as delay } from "node:timers/promises";
import xterm from "@xterm/headless";
import { type IPty, spawn } from "node-pty";
import { PROGRAM, type Project } from "./project.ts";

/** `mrsk` in a real terminal with a readable screen: the text that a user sees, not the bytes. */
export class TerminalSession {
  private static readonly open = new Set<IPty>();

  /** Closes the terminals that a failed test left. */
  static closeAll(): void {
    for (const pty of this.open) pty.kill();
  }

  readonly ended: Promise<number>;
  private readonly screen = new xterm.Terminal({ cols: 100, rows: 30, allowProposedApi: true });
  private readonly pty: IPty;
  /** All output bytes, for checks of what must not appear. */
  bytes = "";

  constructor(project: Project, ...words: readonly string[]) {
    // In a shell that prints the terminal's mode afterwards.
    const line =
      'node "$@"; status=$?; echo; stty -a | grep -q " icanon" && stty -a | grep -q " echo " && echo "terminal is restored"; exit $status';
    this.pty = spawn("/bin/sh", ["-c", line, "sh", PROGRAM, ...words], {
      cols: 100,
      rows: 30,
      cwd: project.folder,
      env: { ...project.environment, TERM: "xterm-256color" },
    });
    this.pty.onData((text) => {
      this.bytes += text;
      this.screen.write(text);
    });
    TerminalSession.open.add(this.pty);
    this.ended = new Promise((resolve) =>
      this.pty.onExit(({ exitCode }) => {
        TerminalSession.open.delete(this.pty);
        resolve(exitCode);
      }),
    );
  }

  type(text: string): void {
    this.pty.write(text);
  }

  resize(cols: number, rows: number): void {
    this.pty.resize(cols, rows);
    this.screen.resize(cols, rows);
  }

  /** The lines on the screen and above it, without trailing blanks. */
  text(): string {
    const buffer = this.screen.buffer.active;
    const lines = Array.from({ length: buffer.length }, (_, i) => buffer.getLine(i)?.translateToString(true) ?? "");
    return lines.join("\n").trimEnd();
  }

  /** Waits until the screen shows it. @throws Error with the screen, after 40 seconds */
  async shows(what: RegExp): Promise<string> {
    for (let tries = 0; !what.test(this.text()); tries++) {
      if (tries > 800) throw new Error(`${what} did not come up on:\n${this.text()}`);
      await delay(50);
    }
    return this.text();
  }
}
