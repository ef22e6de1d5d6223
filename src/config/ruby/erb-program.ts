import type { Piece } from "./erb-scan.ts";
import { lastAtOrBefore } from "../yaml/line-starts.ts";

/** The Ruby program of a template: a call for each text, and the code of each tag. */
export class Program {
  readonly source: string;
  readonly pieces: readonly Piece[];
  /** Names of the functions that the program calls. The template does not contain them. */
  readonly text: string;
  readonly output: string;
  private readonly template: string;
  private readonly places: number[] = [];
  private readonly tags: { readonly at: number; readonly piece: Piece }[] = [];

  constructor(template: string, pieces: readonly Piece[]) {
    this.template = template;
    this.pieces = pieces;
    const prefix = unusedPrefix(template);
    this.text = `${prefix}text`;
    this.output = `${prefix}output`;
    let source = "";
    pieces.forEach((piece, index) => {
      if (piece.kind === "text") {
        source += `${this.text}(${index});`;
        return;
      }
      source += piece.kind === "output" ? `${this.output}((` : "";
      this.places.push(source.length);
      this.tags.push({ at: source.length, piece });
      source += piece.code + (piece.kind === "output" ? "\n));" : "\n");
    });
    this.source = source;
  }

  /** The offset in the template of an offset in the program, or the nearest in its tag. */
  templateOffset(offset: number): number {
    const tag = this.tags[lastAtOrBefore(this.places, offset)];
    return tag ? tag.piece.offset + Math.min(Math.max(offset - tag.at, 0), tag.piece.code.length) : 0;
  }

  /** The text in the template of a part of the program, shortened. If it spans several tags, only the first tag's part. */
  excerpt(from: number, to: number): string {
    const start = this.templateOffset(from);
    const tag = this.tags[lastAtOrBefore(this.places, from)];
    const end = tag ? tag.piece.offset + tag.piece.code.length : start;
    const whole = this.templateOffset(to);
    const text = this.template.slice(start, Math.min(whole, end)).replaceAll(/\s+/g, " ").trim();
    const cut = text.length > 60 || whole > end;
    return cut ? `${text.slice(0, 57)}...` : text;
  }
}

function unusedPrefix(template: string): string {
  let prefix = "__";
  while (template.includes(prefix)) prefix += "_";
  return prefix;
}

/** The text that a template makes, with the offset in the template of each part. */
export class Output {
  private readonly texts: string[] = [];
  private readonly starts: number[] = [];
  private readonly parts: { readonly offset: number; readonly verbatim: boolean }[] = [];
  private length = 0;

  get text(): string {
    return this.texts.join("");
  }

  add(text: string, offset: number, verbatim: boolean): void {
    this.starts.push(this.length);
    this.parts.push({ offset, verbatim });
    this.texts.push(text);
    this.length += text.length;
  }

  sourceOffset(offset: number): number {
    const index = lastAtOrBefore(this.starts, offset);
    const part = this.parts[index];
    if (!part) return 0;
    return part.verbatim ? part.offset + (offset - this.starts[index]!) : part.offset;
  }
}
