import { keepRendered } from "./rendered.ts";
import type { Attached } from "../../src/script/attached.ts";
import { redact, render } from "../../src/script/command.ts";
import { type Script, secretsOfScript } from "../../src/script/script.ts";
import { CommandFailedError, InterruptedError } from "../../src/errors.ts";
import type { Host, RunOptions, ScriptResult, StepResult } from "../../src/hosts/host.ts";
import type { Pipes } from "../../src/ssh/attach.ts";

interface Answer {
  readonly pattern: RegExp;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A host that answers by pattern and keeps a transcript: the name of each step, and its command. */
export class FakeHost implements Host {
  readonly name: string;
  readonly steps: string[] = [];
  /** The commands of `steps`, as a log shows them. */
  readonly commands: string[] = [];
  /** Each outcome that was due, with what it is about: `done Audit: Started traefik`. */
  readonly outcomes: string[] = [];
  /** `SCRIPT > STEP: COMMAND`, a secret as its name in angle brackets. */
  readonly transcript: string[] = [];
  /** The text of each step, a secret as its name in angle brackets. */
  readonly texts: string[] = [];
  /** Values of the secrets that came, by name. */
  readonly secrets = new Map<string, string>();
  /** As they were run. */
  readonly scripts: Script[] = [];
  private readonly answers: Answer[] = [];

  private readonly happenings: { readonly pattern: RegExp; readonly work: () => unknown }[] = [];
  private readonly journal: string[];

  /** @param journal of all hosts, `host: step` a line */
  constructor(name: string, journal: string[] = []) {
    this.name = name;
    this.journal = journal;
  }

  /** Something happens when a step whose title or command matches is reached: what it throws ends the script. */
  when(pattern: RegExp, work: () => unknown): this {
    this.happenings.push({ pattern, work });
    return this;
  }

  /** Steps whose title or command matches say this. */
  replies(pattern: RegExp, stdout: string, status = 0): this {
    this.answers.push({ pattern, stdout, status, stderr: "" });
    return this;
  }

  /** Steps whose title or command matches end with status 1, having said this on standard error. */
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
      for (const { pattern, work } of this.happenings) {
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

  /** Says what it `replies` to the command on standard output, and takes no input. */
  attach(command: Attached, ends: "terminal" | Pipes): Promise<number> {
    const line = redact(command.body);
    this.texts.push(render(command.body, (secret) => `<${secret.name}>`));
    this.steps.push(line);
    this.commands.push(line);
    const answer = this.answers.find(({ pattern }) => pattern.test(line));
    if (ends !== "terminal" && answer) ends.onOutput("stdout", Buffer.from(answer.stdout));
    return Promise.resolve(answer?.status ?? 0);
  }

  async reconnect(): Promise<void> {
    this.steps.push("(a new connection)");
    this.commands.push("");
  }
}
