import { StringDecoder } from "node:string_decoder";
import { redact } from "./command.ts";
import { mayFail, type Script } from "./script.ts";
import { CommandFailedError, ExitCode, InterruptedError, MrskError, SshError } from "../errors.ts";
import type { RunEvent } from "../events.ts";
import { endedEarly } from "./home.ts";
import { markerSplitter, type Piece } from "./markers.ts";
import { KeptOutput } from "../kept-output.ts";
import type { Mask } from "./mask.ts";
import { diskHint } from "./file-system.ts";
import type { RunOptions, ScriptResult, StepResult } from "./result.ts";

export type StepEvents = (event: RunEvent) => void;

interface Progress {
  readonly stdout: KeptOutput;
  readonly stderr: KeptOutput;
  status: number | undefined;
  started: number;
  seconds: number;
}

/** How much of a step's output is shown in an error. */
const SHOWN_LINES = 60;
const SHOWN_CHARACTERS = 16_384;
/** How much output of the login shell is kept before the first step begins. */
const BEFORE_BYTES = 65_536;

/** Converts the two streams of a running script to step results and events. */
export class ScriptRun {
  private readonly progress = new Map<string, Progress>();
  private readonly split: { stdout: (bytes?: Buffer) => Piece[]; stderr: (bytes?: Buffer) => Piece[] };
  private readonly current: { stdout: string | undefined; stderr: string | undefined } = {
    stdout: undefined,
    stderr: undefined,
  };
  private readonly decoders = new Map<string, StringDecoder>();
  private readonly mask: Mask;
  private readonly maskers = new Map<string, (text?: string) => string>();
  private readonly before = new KeptOutput(BEFORE_BYTES);
  private readonly exits: { stdout?: number; stderr?: number } = {};
  private readonly host: string;
  private readonly script: Script;
  private readonly events: StepEvents;
  private readonly options: RunOptions;

  /** @param mask masks events and errors. It includes the secrets of the script */
  constructor(host: string, script: Script, nonce: string, events: StepEvents, options: RunOptions, mask: Mask) {
    this.host = host;
    this.script = script;
    this.events = events;
    this.options = options;
    this.split = { stdout: markerSplitter(nonce), stderr: markerSplitter(nonce) };
    this.mask = mask;
  }

  get begun(): boolean {
    return this.progress.size > 0;
  }

  /** The exit status, once both streams have the end marker of the script. */
  get exit(): number | undefined {
    return this.exits.stdout === undefined ? undefined : this.exits.stderr;
  }

  feed(stream: "stdout" | "stderr", bytes?: Buffer): void {
    for (const piece of this.split[stream](bytes)) this.take(stream, piece);
  }

  private take(stream: "stdout" | "stderr", piece: Piece): void {
    if (piece.kind === "begin") {
      if (piece.step !== "cleanup" && !this.script.steps[Number(piece.step)]) return;
      this.current[stream] = piece.step;
      if (!this.progress.has(piece.step)) this.begin(piece.step);
    } else if (piece.kind === "end") {
      this.current[stream] = undefined;
      const masked = this.masker(piece.step, stream)();
      if (masked !== "") this.show(piece.step, stream, { text: "", masked, bytes: Buffer.alloc(0) });
      const progress = this.progress.get(piece.step);
      if (stream === "stdout" && progress) this.end(piece.step, progress, piece.status);
    } else if (piece.kind === "exit") {
      this.exits[stream] = piece.status;
    } else {
      this.output(stream, piece.bytes);
    }
  }

  private begin(step: string): void {
    const kept = { stdout: new KeptOutput(), stderr: new KeptOutput() };
    this.progress.set(step, { ...kept, status: undefined, started: performance.now(), seconds: 0 });
    const body = this.script.steps[Number(step)]?.body;
    if (body) {
      this.events({
        kind: "step-start",
        host: this.host,
        script: this.script.title,
        step: this.nameOf(step),
        command: this.mask.text(redact(body)),
        ...(this.options.streamed ? { streamed: true } : {}),
      });
    }
  }

  private end(step: string, progress: Progress, status: number): void {
    progress.status = status;
    progress.seconds = (performance.now() - progress.started) / 1000;
    if (step === "cleanup") return;
    this.events({
      kind: "step-end",
      host: this.host,
      script: this.script.title,
      step: this.nameOf(step),
      status,
      seconds: progress.seconds,
    });
  }

  private output(stream: "stdout" | "stderr", bytes: Buffer): void {
    const step = this.current[stream];
    const progress = step === undefined ? undefined : this.progress.get(step);
    if (step === undefined || !progress) {
      this.before.add(bytes);
      return;
    }
    const text = this.decode(`${step} ${stream}`, bytes);
    this.show(step, stream, { text, masked: this.masker(step, stream)(text), bytes });
    if (!this.options.streamed) progress[stream].add(bytes);
  }

  private masker(step: string, stream: string): (text?: string) => string {
    const key = `${step} ${stream}`;
    let masker = this.maskers.get(key);
    if (!masker) this.maskers.set(key, (masker = this.mask.stream()));
    return masker;
  }

  private show(
    step: string,
    stream: "stdout" | "stderr",
    output: { readonly text: string; readonly masked: string; readonly bytes: Uint8Array },
  ): void {
    const where = { host: this.host, step: this.nameOf(step), stream };
    this.options.onOutput?.({ ...where, stepId: this.script.steps[Number(step)]?.id ?? step, ...output });
    if (output.masked !== "" && !this.options.streamed) this.events({ kind: "output", ...where, text: output.masked });
  }

  private decode(key: string, bytes: Buffer): string {
    let decoder = this.decoders.get(key);
    if (!decoder) this.decoders.set(key, (decoder = new StringDecoder("utf8")));
    return decoder.write(bytes);
  }

  private nameOf(step: string): string {
    return step === "cleanup" ? "Clean up" : (this.script.steps[Number(step)]?.name ?? step);
  }

  private results(): StepResult[] {
    return this.script.steps.map((step, i) => {
      const progress = this.progress.get(String(i));
      return {
        id: step.id,
        name: step.name,
        status: progress?.status,
        stdout: progress?.stdout.text() ?? "",
        stderr: progress?.stderr.text() ?? "",
        seconds: progress?.seconds ?? 0,
      };
    });
  }

  /**
   * The result of the script. It has succeeded if it exited with 0, and the last step has an end marker.
   * @throws CommandFailedError, SshError, InterruptedError
   */
  finish(status: number | undefined, signal: string | undefined): ScriptResult {
    this.feed("stdout");
    this.feed("stderr");
    const steps = this.results();
    const last = steps.at(-1);
    if (status === 0 && (last === undefined || last.status !== undefined)) return this.result(steps);
    if (this.options.signal?.aborted) throw new InterruptedError();
    const failed = steps.find(({ status: ended }, i) => !mayFail(this.script.steps[i]!) && (ended ?? 0) !== 0);
    if (failed) throw this.failure(failed);
    if (!this.begun) {
      const output = this.tail(this.before.text());
      throw endedEarly(this.host, status ?? signal, output);
    }
    const unfinished = steps.findLast((step, i) => this.progress.has(String(i)) && step.status === undefined);
    const where = unfinished ? ` during ${unfinished.name}` : "";
    throw new SshError(
      this.host,
      `the script "${this.script.title}" was ended${where} (${signal ? `signal ${signal}` : `exit status ${status}`})`,
    );
  }

  private failure(failed: StepResult): CommandFailedError {
    const output = [this.tail(failed.stdout), this.tail(failed.stderr)].filter(Boolean).join("\n");
    return new CommandFailedError(
      {
        host: this.host,
        step: failed.name,
        stepId: failed.id,
        status: failed.status ?? 1,
        output,
      },
      { hint: diskHint(output) },
    );
  }

  /** The last lines of an output, for an error. */
  private tail(text: string): string {
    const shown = this.mask.text(text.trimEnd()).split("\n").slice(-SHOWN_LINES).join("\n");
    return shown.length <= SHOWN_CHARACTERS ? shown : `[…]${shown.slice(-SHOWN_CHARACTERS)}`;
  }

  private result(steps: readonly StepResult[]): ScriptResult {
    const { title } = this.script;
    const find = (id: string) => {
      const found = steps.findIndex((step) => step.id === id);
      if (found < 0) throw new Error(`the script "${title}" has no step "${id}"`);
      return found;
    };
    return {
      steps,
      text: (id) => {
        const at = find(id);
        // A truncated output must not pass for a complete one.
        if (this.progress.get(String(at))?.stdout.cut) throw this.tooMuch(steps[at]!.name);
        return steps[at]!.stdout.trim();
      },
      status: (id) => steps[find(id)]!.status,
    };
  }

  private tooMuch(step: string): MrskError {
    return new MrskError(ExitCode.remote, `${this.host}: ${step}: the output is too long (over 16 MiB)`);
  }
}
