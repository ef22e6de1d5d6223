import { ConfigError } from "../../errors.ts";
import { Assignments } from "./assignments.ts";
import type { RubyContext } from "./context.ts";
import { Output, Program } from "./erb-program.ts";
import { type Piece, scan } from "./erb-scan.ts";
import { evaluateWithRuby } from "./external-ruby.ts";
import { loadRuby } from "./ruby.ts";
import { place, type Position, type Problem, problemLines } from "../yaml/tree.ts";
import type { Variables } from "../env/variables.ts";
import { locateIn } from "../yaml/yaml.ts";

export interface TemplateContext {
  /** Turns an offset in the template into a position, for messages. */
  readonly locate: (offset: number) => Position;
  /** `ENV` in the template. */
  readonly environment: Variables;
  /** The folder in which commands run, and to which paths are relative. */
  readonly cwd: string;
  /** Whether the text at an offset of the template is a comment. Output there is not used, so it is not made. */
  readonly isComment?: (offset: number) => boolean;
}

export interface Rendered {
  readonly text: string;
  /** The offset in the template from which the character at this offset of `text` comes. */
  sourceOffset(offset: number): number;
  readonly problems: readonly Problem[];
  /** A sentence, with its position, for each call that had no effect. */
  readonly notes: readonly string[];
  /** false: a tag is not closed, the tags are not valid Ruby, or evaluation stopped before its end. `text` is not usable. */
  readonly complete: boolean;
}

/**
 * Evaluates an ERB template (`.env.erb`, an accessory's `.erb` file).
 * @param note gets a sentence, with its position, for each thing that the user should know
 * @throws ConfigError with a line for each failed tag
 */
export async function renderErb(
  template: string,
  context: { file: string; environment: Variables; cwd: string; note: (text: string) => void },
): Promise<string> {
  if (!template.includes("<%")) return template;
  const { file, environment, cwd, note } = context;
  const rendered = await renderTemplate(template, { locate: locateIn(template, file), environment, cwd });
  if (rendered.problems.length > 0) throw new ConfigError(problemLines(rendered.problems));
  for (const text of rendered.notes) note(text);
  return rendered.text;
}

/**
 * As `renderErb`, but returns the problems, what could be rendered in spite of them, and the origin of each part. If a tag
 * is beyond the supported part of Ruby, the `ruby` of this machine evaluates the whole template.
 */
export async function renderTemplate(template: string, context: TemplateContext): Promise<Rendered> {
  const evaluation = new Evaluation(template, context);
  const [unknown] = await evaluation.check();
  const early = unknown && (await withRuby(template, context, unknown));
  if (early?.rendered) return early.rendered;
  const rendered = await evaluation.run();
  const [unsupported] = evaluation.unsupported;
  if (!unsupported) return rendered;
  const late = early ?? (await withRuby(template, context, unsupported));
  if (late.rendered) return late.rendered;
  const problems = evaluation.unsupported.map(({ message, ...rest }) => ({
    ...rest,
    message: `${message}: ${late.advice}`,
  }));
  return { ...rendered, problems: [...rendered.problems, ...problems] };
}

/** The evaluation of a template by the supported part of Ruby. */
class Evaluation {
  readonly unsupported: Problem[] = [];
  private readonly problems: Problem[] = [];
  private readonly notes = new Set<string>();
  private readonly output = new Output();
  private readonly program: Program;
  private readonly context: TemplateContext;
  private readonly open: boolean;

  constructor(template: string, context: TemplateContext) {
    this.context = context;
    const pieces = scan(
      template,
      (offset, message) => void this.problems.push({ at: context.locate(offset), path: [], message }),
    );
    const isUsed = ({ kind, offset }: Piece) => kind !== "output" || !context.isComment?.(offset);
    this.program = new Program(template, pieces.filter(isUsed));
    this.open = this.problems.length > 0;
  }

  /** The first construct that is certainly not supported. Nothing is evaluated. */
  async check(): Promise<readonly Problem[]> {
    const found: Problem[] = [];
    if (this.open) return found;
    (await loadRuby()).check(this.program.source, this.rubyContext(this.context.environment, found));
    return found;
  }

  async run(): Promise<Rendered> {
    const { output, problems, notes } = this;
    const assignments = new Assignments(this.context.environment);
    const ruby = await loadRuby();
    const ended = await ruby.evaluate(this.program.source, this.rubyContext(assignments, this.unsupported));
    if (this.unsupported.length === 0) assignments.commit();
    return renderedBy(output, { problems, notes: [...notes], complete: ended && !this.open });
  }

  private rubyContext(environment: Variables, unsupported: Problem[]): RubyContext {
    const { program, output, context } = this;
    const at = (offset: number) => context.locate(program.templateOffset(offset));
    return {
      environment,
      cwd: context.cwd,
      functions: { text: program.text, output: program.output },
      text: (index) => {
        const piece = program.pieces[index]!;
        output.add(piece.code, piece.offset, true);
        return piece.code;
      },
      output: (value, offset) => output.add(value, program.templateOffset(offset), false),
      excerpt: (from, to) => program.excerpt(from, to),
      problem: (offset, message) => void this.problems.push({ at: at(offset), path: [], message }),
      unsupported: (offset, message) => void unsupported.push({ at: at(offset), path: [], message }),
      note: (offset, message) => void this.notes.add(`${place(at(offset))}: ${message}`),
    };
  }
}

function renderedBy(output: Output, rest: Omit<Rendered, "text" | "sourceOffset">): Rendered {
  return { ...rest, text: output.text, sourceOffset: (offset) => output.sourceOffset(offset) };
}

const INSTEAD = 'pass the value in a variable: ENV["NAME"]';

/** `advice`: what to do, if the template cannot be evaluated by Ruby. */
async function withRuby(
  template: string,
  context: TemplateContext,
  { at, message }: Problem,
): Promise<{ readonly rendered: Rendered | undefined; readonly advice: string }> {
  const { locate, environment } = context;
  if ((await environment.get("MRSK_RUBY")) === "off") {
    return { rendered: undefined, advice: `MRSK_RUBY=off forbids to evaluate it with ruby; ${INSTEAD}` };
  }
  const result = await evaluateWithRuby(template, context);
  if (result.kind === "absent") {
    return { rendered: undefined, advice: `install ruby on this machine to evaluate it, or ${INSTEAD}` };
  }
  const notes = [`${place(at)}: ${message}, so the ruby of this machine evaluated the file`];
  if (result.kind === "rendered") {
    return { rendered: renderedBy(result.output, { problems: [], notes, complete: true }), advice: "" };
  }
  const problems = [{ at: locate(result.offset), path: [], message: result.message }];
  return { rendered: renderedBy(new Output(), { problems, notes, complete: false }), advice: "" };
}
