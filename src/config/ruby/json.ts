import { checkDigits } from "./budget.ts";
import {
  isList,
  Refused,
  RubyException,
  RubyHash,
  RubySymbol,
  type RubyValue,
  toText,
  Unsupported,
} from "./ruby-values.ts";

/** `JSON.generate` @throws Unsupported for a value without a form in JSON */
export function generateJson(value: RubyValue, pretty = false): string {
  return generated(value, pretty ? "\n" : "", 0);
}

function generated(value: RubyValue, newline: string, depth: number): string {
  if (value === null) return "null";
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Unsupported("JSON has no form for this number");
    return toText(value);
  }
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof RubySymbol) return JSON.stringify(value.name);
  const indent = newline === "" ? "" : "  ".repeat(depth + 1);
  const enclosed = (open: string, parts: readonly string[], close: string) =>
    parts.length === 0
      ? open + close
      : `${open}${newline}${parts.map((part) => indent + part).join(`,${newline}`)}${newline}${indent.slice(2)}${close}`;
  if (isList(value)) {
    const items = value.map((item) => generated(item, newline, depth + 1));
    return enclosed("[", items, "]");
  }
  if (!(value instanceof RubyHash)) throw new Unsupported("JSON has no form for this value");
  const entries = value
    .pairs()
    .map(([key, item]) => `${JSON.stringify(toText(key))}:${newline && " "}${generated(item, newline, depth + 1)}`);
  return enclosed("{", entries, "}");
}

/** `JSON.parse` @throws Refused for invalid JSON, with its position */
export function parseJson(text: string, symbols = false): RubyValue {
  // The reader below accepts more than JSON allows.
  try {
    JSON.parse(text);
  } catch (error) {
    throw new Refused(`not valid JSON: ${(error as Error).message}`, new RubyException("JSON::ParserError"));
  }
  return new Reader(text, symbols).value();
}

/** Reads valid JSON, and keeps what JavaScript's parser loses: the order of keys, and integers next to floats. */
class Reader {
  private readonly tokens: string[];
  private readonly symbols: boolean;
  private at = 0;
  private depth = 0;

  constructor(text: string, symbols: boolean) {
    this.tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{}]|[^\s"[\]{},:]+/g) ?? [];
    this.symbols = symbols;
  }

  value(): RubyValue {
    const token = this.tokens[this.at++]!;
    if (token === "[") return this.until("]", () => this.value());
    if (token === "{") return new RubyHash(this.until("}", () => [this.key(), this.value()] as const));
    if (token.startsWith('"')) return JSON.parse(token) as string;
    if (/^-?\d+$/.test(token)) {
      checkDigits(token.length);
      return BigInt(token);
    }
    return JSON.parse(token) as number | boolean | null;
  }

  private key(): RubyValue {
    const name = JSON.parse(this.tokens[this.at++]!) as string;
    return this.symbols ? new RubySymbol(name) : name;
  }

  private until<T>(close: string, read: () => T): T[] {
    const items: T[] = [];
    this.depth += 1;
    // As in Ruby.
    if (this.depth > 100)
      throw new Refused("JSON is nested more than 100 levels deep", new RubyException("JSON::ParserError"));
    while (this.tokens[this.at] !== close) items.push(read());
    this.at += 1;
    this.depth -= 1;
    return items;
  }
}
