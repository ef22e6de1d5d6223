/** A part of a text, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Found {
  /** Sorted by start. They may overlap. */
  readonly spans: readonly Span[];
  /** From here on, the result depends on text that has not arrived yet. The length of the text if nothing is open. */
  readonly open: number;
}

const HASHES = 0xffff;

/** Finds any of many texts in another one. The time hardly depends on their number. */
export class Finder {
  private readonly sorted: readonly string[];
  /** By a hash of two characters: whether a wanted text may begin with them. */
  private readonly beginnings = new Uint8Array(HASHES + 1);
  /** By one character, for the last character of the searched text. */
  private readonly initials = new Uint8Array(HASHES + 1);

  /** @param wanted texts of two characters or more */
  constructor(wanted: Iterable<string>) {
    this.sorted = [...new Set(wanted)].toSorted((a, b) => (a < b ? -1 : 1));
    for (const text of this.sorted) {
      this.beginnings[hash(text, 0)] = 1;
      this.initials[text.charCodeAt(0)] = 1;
    }
  }

  /** @param final whether no more text will follow */
  find(text: string, final: boolean): Found {
    const spans: Span[] = [];
    if (this.sorted.length === 0) return { spans, open: text.length };
    for (let start = 0; start < text.length; start++) {
      if (!this.mayBegin(text, start)) continue;
      const end = this.longest(text, start, final);
      if (end === undefined) return { spans, open: start };
      if (end > start) spans.push({ start, end });
    }
    return { spans, open: text.length };
  }

  private mayBegin(text: string, at: number): boolean {
    if (at === text.length - 1) return this.initials[text.charCodeAt(at)] === 1;
    return this.beginnings[hash(text, at)] === 1;
  }

  /** The end of the longest wanted text that begins at `start`; `start` if there is none; undefined if more text is needed. */
  private longest(text: string, start: number, final: boolean): number | undefined {
    let [low, high] = [0, this.sorted.length];
    let end = start;
    for (let depth = 0; low < high; depth++) {
      if (this.sorted[low]!.length === depth) {
        end = start + depth;
        low++;
      }
      if (low === high) return end;
      if (start + depth === text.length) return final ? end : undefined;
      const code = text.charCodeAt(start + depth);
      if (high - low === 1) {
        if (this.sorted[low]!.charCodeAt(depth) !== code) return end;
      } else {
        low = this.firstAbove(low, high, depth, code - 1);
        high = this.firstAbove(low, high, depth, code);
      }
    }
    return end;
  }

  /** The first of the range whose character at `depth` is above `code`. */
  private firstAbove(low: number, high: number, depth: number, code: number): number {
    let [from, to] = [low, high];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.sorted[middle]!.charCodeAt(depth) > code) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

function hash(text: string, at: number): number {
  return (text.charCodeAt(at) * 31 + text.charCodeAt(at + 1)) & HASHES;
}
