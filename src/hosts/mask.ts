import type { Secret } from "../config/secret.ts";

const REDACTED = "[REDACTED]";

/** What is shorter is no secret, and would take half of every text with it. */
const SHORTEST = 4;

/** Takes secrets out of what commands print: whole values, each line of a value, and how JSON writes them. */
export class Mask {
  private readonly values: readonly string[];

  constructor(secrets: Iterable<Secret>) {
    const shapes = Array.from(secrets, (secret) => secret.reveal()).flatMap((value) => [
      value,
      ...value.split("\n"),
      JSON.stringify(value).slice(1, -1),
    ]);
    this.values = [...new Set(shapes)]
      .filter((value) => value.trim().length >= SHORTEST)
      .toSorted((a, b) => b.length - a.length);
  }

  text(text: string): string {
    return this.values.reduce((masked, value) => masked.replaceAll(value, REDACTED), text);
  }

  /**
   * For text that comes in pieces: what could be the beginning of a value is held back until it is known.
   * @returns a function to feed; call it without text at the end
   */
  stream(): (text?: string) => string {
    let held = "";
    return (text) => {
      const all = held + (text ?? "");
      const masked = this.text(all);
      const keep = text === undefined ? 0 : this.possibleBeginning(masked);
      held = masked.slice(masked.length - keep);
      return masked.slice(0, masked.length - keep);
    };
  }

  /** Length of the longest tail that could be the beginning of a value. */
  private possibleBeginning(text: string): number {
    return Math.max(0, ...this.values.map((value) => overlap(text, value)));
  }
}

function overlap(text: string, value: string): number {
  const first = value[0]!;
  let at = text.indexOf(first, Math.max(0, text.length - value.length + 1));
  while (at >= 0) {
    if (value.startsWith(text.slice(at))) return text.length - at;
    at = text.indexOf(first, at + 1);
  }
  return 0;
}
