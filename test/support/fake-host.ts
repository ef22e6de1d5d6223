import type { Duplex } from "node:stream";
import { keepRendered } from "./rendered.ts";
import type { Attached } from "../../src/script/attached.ts";
import { redact, render } from "../../src/script/command.ts";
import { type Script, secretsOfScript } from "../../src/script/script.ts";
import { CommandFailedError, InterruptedError, SshError } from "../../src/errors.ts";
import type { Host } from "../../src/hosts/host.ts";
import type { RunOptions, ScriptResult, StepResult } from "../../src/script/result.ts";
import type { Pipes } from "../../src/ssh/attach.ts";

interface Answer {
  readonly pattern: RegExp;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A host that runs nothing: it records each step, and prints the output that a test sets for it. */
export class FakeHost implements Host {
  readonly name: string;
  readonly steps: string[] = [];
  /** The commands of `steps`, as a log shows them: with secrets masked. */
  readonly commands: string[] = [];
  /** The steps of mode `outcome` that ran: `done Audit: Started traefik`, or `failed …`. */
  readonly outcomes: string[] = [];
  /** `SCRIPT > STEP: COMMAND` for each step, with `<NAME>` for a secret. */
  readonly transcript: string[] = [];
  /** The command of each step, with `<NAME>` for a secret. */
  readonly texts: string[] = [];
  /** The values of the secrets in these scripts, by name. */
  readonly secrets = new Map<string, string>();
  /** The scripts that ran. */
  readonly scripts: Script[] = [];
  /** What listens on the host's ports. */
  readonly ports = new Map<number, () => Duplex>();
  private readonly answers: Answer[] = [];

  private readonly hooks: { readonly pattern: RegExp; readonly work: () => unknown }[] = [];
  private readonly journal: string[];

  /** @param journal gets a line `host: step` for each step; all hosts may share it */
  constructor(name: string, journal: string[] = []) {
    this.name = name;
    this.journal = journal;
  }

  /** Calls `work` before each step whose title or command matches. An error that it throws ends the script. */
  when(pattern: RegExp, work: () => unknown): this {
    this.hooks.push({ pattern, work });
    return this;
  }

  /** Each step whose title or command matches prints this. The first pattern that matches counts. */
  replies(pattern: RegExp, stdout: string, status = 0): this {
    this.answers.push({ pattern, stdout, status, stderr: "" });
    return this;
  }

  /** Each step whose title or command matches prints this on standard error, and ends with status 1. */
  fails(pattern: RegExp, stderr: string): this {
    this.answers.push({ pattern, stdout: "", status: 1, stderr });
    return this;
  }

  async run(script: Script, { onOutput, signal }: RunOptions = {}): Promise<ScriptResult> {
    const done: StepResult[] = [];
    this.scripts.push(script);
    keepRendered(script);
    for (const secret of secretsOfScript(script)) this.secrets.set(secret.name, secret.reveal());
    let result = "done";
    for (const [i, { id, name, body, mode, counts }] of script.steps.entries()) {
      const command = redact(body);
      this.steps.push(name);
      this.commands.push(command);
      const text = render(body, (secret) => `<${secret.name}>`);
      this.texts.push(text);
      this.transcript.push(`${script.title} > ${name}: ${text}`);
      this.journal.push(`${this.name}: ${name}`);
      for (const { pattern, work } of this.hooks) {
        if (pattern.test(name) || pattern.test(command)) await work();
      }
      if (signal?.aborted) throw new InterruptedError();
      const answer = this.answers.find(({ pattern }) => pattern.test(name) || pattern.test(command));
      const { status, stdout, stderr } = answer ?? { status: 0, stdout: "", stderr: "" };
      const bytes = Buffer.from(stdout);
      if (stdout)
        onOutput?.({ host: this.name, step: name, stepId: id, stream: "stdout", text: stdout, masked: stdout, bytes });
      done.push({ id, name, status, stdout, stderr, seconds: 0 });
      if (mode === "outcome") this.outcomes.push(`${result} ${name}`);
      if (mode === "outcome") result = "done";
      if (status !== 0 && counts) result = "failed";
      if (status !== 0 && mode !== "try" && mode !== "outcome") {
        const due = script.steps.slice(i).find((step) => step.mode === "outcome");
        if (due) this.outcomes.push(`failed ${due.name}`);
        throw new CommandFailedError({
          host: this.name,
          step: name,
          stepId: id,
          status,
          output: stdout + stderr,
        });
      }
    }
    const withId = (id: string) => done.find((step) => step.id === id)!;
    return { steps: done, text: (id) => withId(id).stdout.trim(), status: (id) => withId(id).status };
  }

  /** Prints on standard output the text that `replies` set for the command. Reads no input. */
  attach(command: Attached, ends: "terminal" | Pipes): Promise<number> {
    const line = redact(command.body);
    this.texts.push(render(command.body, (secret) => `<${secret.name}>`));
    this.steps.push(line);
    this.commands.push(line);
    const answer = this.answers.find(({ pattern }) => pattern.test(line));
    if (ends !== "terminal" && answer) ends.onOutput("stdout", Buffer.from(answer.stdout));
    return Promise.resolve(answer?.status ?? 0);
  }

  async connect(port: number): Promise<Duplex> {
    const socket = this.ports.get(port)?.();
    if (!socket) throw new SshError(this.name, `cannot reach 127.0.0.1:${port}`);
    return socket;
  }

  async reconnect(): Promise<void> {
    // A login takes time: the steps of a caller that does not wait for it would come first.
    await new Promise((resolve) => setImmediate(resolve));
    this.steps.push("(a new connection)");
    this.commands.push("");
  }
}
