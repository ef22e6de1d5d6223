import { ConfigError } from "../../errors.ts";
import { Output, Program } from "./erb-program.ts";
import { scan } from "./erb-scan.ts";
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
}

export interface Rendered {
  readonly text: string;
  /** The offset in the template from which the character at this offset of `text` comes. */
  sourceOffset(offset: number): number;
  readonly problems: readonly Problem[];
  /** A sentence, with its position, for each call that had no effect. */
  readonly notes: readonly string[];
  /** false: a tag is not closed, the tags are not valid Ruby, or evaluation stopped at a limit. `text` is not usable. */
  readonly complete: boolean;
}

/** Evaluates an ERB template (`.env.erb`, an accessory's `.erb` file). @throws ConfigError with a line for each failed tag */
export async function renderErb(
  template: string,
  { file, environment, cwd }: { file: string; environment: Variables; cwd: string },
): Promise<string> {
  if (!template.includes("<%")) return template;
  const rendered = await renderTemplate(template, { locate: locateIn(template, file), environment, cwd });
  if (rendered.problems.length > 0) throw new ConfigError(problemLines(rendered.problems));
  return rendered.text;
}

/** As `renderErb`, but returns the problems, what could be rendered in spite of them, and the origin of each part. */
export async function renderTemplate(template: string, context: TemplateContext): Promise<Rendered> {
  const problems: Problem[] = [];
  const notes: string[] = [];
  const problem = (offset: number, message: string) =>
    void problems.push({ at: context.locate(offset), path: [], message });
  const program = new Program(template, scan(template, problem));
  const output = new Output();
  const open = problems.length > 0;
  const evaluated = await (await loadRuby()).evaluate(program.source, {
    ...context,
    functions: { text: program.text, output: program.output },
    text: (index) => {
      const piece = program.pieces[index]!;
      output.add(piece.code, piece.offset, true);
    },
    output: (value, offset) => output.add(value, program.templateOffset(offset), false),
    excerpt: (from, to) => program.excerpt(from, to),
    problem: (offset, message) => problem(program.templateOffset(offset), message),
    note: (offset, message) => void notes.push(`${place(context.locate(program.templateOffset(offset)))}: ${message}`),
  });
  return {
    text: output.text,
    sourceOffset: (offset) => output.sourceOffset(offset),
    problems,
    notes,
    complete: evaluated && !open,
  };
}
