import { REDACTED, type Secret } from "../config/env/secret.ts";
import { Finder, type Found, type Span } from "./finder.ts";
import { shapesOf } from "./secret-shapes.ts";

/** Shapes with fewer characters are only found unchanged, not folded over lines. */
const SHORTEST_FOLDED = 8;

/** Longer shapes are searched in pieces. So the held text stays short, and a part of a value is masked as well. */
const LONGEST_PIECE = 512;

interface Finders {
  readonly exact: Finder;
  /** For texts without the characters that folding and quoting add. */
  readonly bare: Finder;
}

/**
 * Masks secrets in the output of commands, in every shape that programs write (`shapesOf`), also folded over lines and
 * indented. Its finders are built on first use.
 */
export class Mask {
  private readonly secrets: readonly Secret[];
  private readonly base: Mask | undefined;
  private built: readonly Finders[] | undefined;

  /** @param base a mask whose secrets are masked as well */
  constructor(secrets: Iterable<Secret>, base?: Mask) {
    this.secrets = [...secrets];
    this.base = base;
  }

  text(text: string): string {
    return this.stream()(text, true);
  }

  /**
   * Masks text that arrives in chunks. Holds back the end of a chunk while it may be the beginning of a value.
   * @returns a function that takes the next chunk; call it without text at the end, or with `true` for the last chunk
   */
  stream(): (text?: string, final?: boolean) => string {
    let held = "";
    let out: Shown = { length: 0, redacted: false };
    return (text, final = text === undefined) => {
      const all = held + (text ?? "");
      const { spans, open } = this.find(all, final);
      const rest = all.slice(open);
      const end = isDone(rest) ? all.length : open;
      const shown = without(spans, all.slice(0, end), out);
      const last = spans.at(-1)?.end ?? 0;
      const outEnd = Math.max(out.length, last, end);
      out = { length: outEnd - open, redacted: last === outEnd || (out.redacted && out.length === outEnd) };
      held = rest;
      return shown;
    };
  }

  private find(text: string, final: boolean): Found {
    const bare = withoutFolds(text, final);
    const found = this.finders.flatMap((finders) => [
      finders.exact.find(text, final),
      bare.mapBack(finders.bare.find(bare.text, final)),
    ]);
    const open = Math.min(text.length, ...found.map((each) => each.open));
    return { spans: united(found.flatMap(({ spans }) => spans).filter(({ start }) => start < open)), open };
  }

  private get finders(): readonly Finders[] {
    this.built ??= [...(this.base?.finders ?? []), findersOf(this.secrets)];
    return this.built;
  }
}

function findersOf(secrets: readonly Secret[]): Finders {
  const values = new Set(secrets.map((secret) => secret.reveal()));
  const exact: string[] = [];
  const bare: string[] = [];
  for (const shape of Array.from(values, shapesOf).flat()) {
    const short = withoutFolds(shape, true).text.replace(/\\+$/, "");
    if (short.length < SHORTEST_FOLDED) exact.push(shape);
    else bare.push(...piecesOf(short));
  }
  return { exact: new Finder(exact), bare: new Finder(bare) };
}

/** Of the same length. */
function piecesOf(text: string): string[] {
  const count = Math.ceil(text.length / LONGEST_PIECE);
  const size = Math.ceil(text.length / count);
  return Array.from({ length: count }, (_, i) => text.slice(i * size, (i + 1) * size));
}

/** Blanks and line breaks, and a backslash before anything that is no letter and no digit. */
const FOLDS = /(?:[ \t\r\n]|\\(?![A-Za-z0-9]))+/g;

/** A text without the characters that folding, indenting and quoting add, and a function that maps spans to the text. */
function withoutFolds(text: string, final: boolean) {
  // The next character decides whether a backslash at the end belongs to a fold.
  const end = !final && text.endsWith("\\") ? text.length - 1 : text.length;
  const parts: string[] = [];
  const begins: number[] = [];
  const shifts: number[] = [];
  let length = 0;
  let last = 0;
  const keep = (from: number, to: number) => {
    if (to === from) return;
    parts.push(text.slice(from, to));
    begins.push(length);
    shifts.push(from - length);
    length += to - from;
  };
  for (const match of text.slice(0, end).matchAll(FOLDS)) {
    keep(last, match.index);
    last = match.index + match[0].length;
  }
  keep(last, end);
  const indexOf = (at: number) => at + shifts[lastUpTo(begins, at)]!;
  return {
    text: parts.join(""),
    mapBack: ({ spans, open }: Found): Found => ({
      spans: spans.map((span) => ({ start: indexOf(span.start), end: indexOf(span.end - 1) + 1 })),
      open: open < length ? indexOf(open) : end,
    }),
  };
}

/** The index of the last number that is not above `value`. */
function lastUpTo(sorted: readonly number[], value: number): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! > value) to = middle;
    else from = middle + 1;
  }
  return from - 1;
}

/** Joins overlapping spans. */
function united(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start)) {
    const before = all.at(-1);
    if (before && span.start < before.end) {
      all[all.length - 1] = { start: before.start, end: Math.max(before.end, span.end) };
    } else all.push(span);
  }
  return all;
}

/** How much of the held text was already shown, and whether as part of a masked value. */
interface Shown {
  readonly length: number;
  readonly redacted: boolean;
}

/** A complete line or a prompt is shown immediately, even if a value could begin at its end. */
function isDone(rest: string): boolean {
  return /[ \t\r\n]$/.test(rest) && withoutFolds(rest, true).text.length < SHORTEST_FOLDED;
}

function without(spans: readonly Span[], text: string, out: Shown): string {
  let shown = "";
  let at = out.length;
  for (const { start, end } of spans) {
    if (start >= at) shown += text.slice(at, start) + REDACTED;
    else if (!out.redacted && end > at) shown += REDACTED;
    at = Math.max(at, end);
  }
  return shown + text.slice(at);
}
