import { ConfigError } from "../errors.ts";
import { loadRuby } from "./ruby.ts";
import { type Position, type Problem, problemLines } from "./tree.ts";
import type { Variables } from "./variables.ts";
import { locateIn } from "./yaml.ts";

export interface TemplateContext {
  /** Turns an offset in the template into its place, for messages. */
  readonly locate: (offset: number) => Position;
  /** What `ENV` is. */
  readonly environment: Variables;
  /** Where commands run and files are found. */
  readonly cwd: string;
}

export interface Rendered {
  readonly text: string;
  /** Where in the template the character at this offset of `text` comes from. */
  sourceOffset(offset: number): number;
  readonly problems: readonly Problem[];
  /** false: the tags are not Ruby, or one stays open, and nothing was evaluated. */
  readonly complete: boolean;
}

/** Evaluates an ERB template (`.env.erb`, an accessory's `.erb` file). @throws ConfigError naming each tag that failed */
export async function renderErb(
  template: string,
  { file, environment, cwd }: { file: string; environment: Variables; cwd: string },
): Promise<string> {
  if (!template.includes("<%")) return template;
  const rendered = await renderTemplate(template, { locate: locateIn(template, file), environment, cwd });
  if (rendered.problems.length > 0) throw new ConfigError(problemLines(rendered.problems));
  return rendered.text;
}

/** As `renderErb`, but says what failed beside what could be rendered, and where each part comes from. */
export async function renderTemplate(template: string, context: TemplateContext): Promise<Rendered> {
  const problems: Problem[] = [];
  const problem = (offset: number, message: string) =>
    void problems.push({ at: context.locate(offset), path: [], message });
  const program = new Program(scan(template, problem));
  const output = new Output();
  const ruby = await loadRuby();
  const open = problems.length > 0;
  const evaluated = await ruby.evaluate(program.source, {
    environment: context.environment,
    cwd: context.cwd,
    text: (index) => {
      const piece = program.pieces[index]!;
      output.add(piece.code, piece.offset, true);
    },
    output: (value, offset) => output.add(value, program.templateOffset(offset), false),
    problem: (offset, message) => problem(program.templateOffset(offset), message),
  });
  return {
    text: output.text,
    sourceOffset: (offset) => output.sourceOffset(offset),
    problems,
    complete: evaluated && !open,
  };
}

interface Piece {
  readonly kind: "text" | "output" | "code";
  readonly code: string;
  /** Where `code` begins in the template. */
  readonly offset: number;
}

const TAG = /<%%|<%(#|=|-)?([\s\S]*?)(-)?%>/g;

/** Cuts a template into text and tags. `-%>` swallows the line's end, `<%-` the blanks before it. */
function scan(template: string, problem: (offset: number, message: string) => void): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  const addText = (from: number, to: number) => {
    if (to > from) pieces.push({ kind: "text", code: template.slice(from, to), offset: from });
  };
  for (const tag of template.matchAll(TAG)) {
    if (tag.index < end) continue;
    const [whole, sign, inside, trim] = tag;
    if (whole === "<%%") {
      addText(end, tag.index);
      pieces.push({ kind: "text", code: "<%", offset: tag.index });
      end = tag.index + whole.length;
      continue;
    }
    const blanks = sign === "-" ? /[ \t]*$/.exec(template.slice(end, tag.index))![0].length : 0;
    addText(end, tag.index - blanks);
    const offset = tag.index + 2 + (sign ? 1 : 0);
    if (sign !== "#") pieces.push({ kind: sign === "=" ? "output" : "code", code: inside!, offset });
    end = tag.index + whole.length;
    if (trim) end += /^\r?\n/.exec(template.slice(end))?.[0].length ?? 0;
  }
  const open = template.indexOf("<%", end);
  if (open !== -1 && template[open + 2] !== "%") problem(open, "this tag stays open: write %> at its end");
  addText(end, template.length);
  return pieces;
}

/** The Ruby program a template stands for: a call for each text, the code of each tag. */
class Program {
  readonly source: string;
  readonly pieces: readonly Piece[];
  private readonly starts: { readonly at: number; readonly offset: number; readonly length: number }[] = [];

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces;
    let source = "";
    pieces.forEach((piece, index) => {
      if (piece.kind === "text") {
        source += `__text(${index});`;
        return;
      }
      source += piece.kind === "output" ? "__output((" : "";
      this.starts.push({ at: source.length, offset: piece.offset, length: piece.code.length });
      source += piece.code + (piece.kind === "output" ? "\n));" : "\n");
    });
    this.source = source;
  }

  /** Where a place of the program is in the template: in its tag, at the nearest place. */
  templateOffset(offset: number): number {
    const tag = this.starts.findLast(({ at }) => at <= offset) ?? this.starts[0];
    return tag ? tag.offset + Math.min(Math.max(offset - tag.at, 0), tag.length) : 0;
  }
}

/** Text with the source of each of its parts. */
class Output {
  text = "";
  private readonly parts: { readonly at: number; readonly offset: number; readonly verbatim: boolean }[] = [];

  add(text: string, offset: number, verbatim: boolean): void {
    this.parts.push({ at: this.text.length, offset, verbatim });
    this.text += text;
  }

  sourceOffset(offset: number): number {
    const part = this.parts.findLast(({ at }) => at <= offset);
    if (!part) return 0;
    return part.verbatim ? part.offset + (offset - part.at) : part.offset;
  }
}
