import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { shellWords } from "../support/shell-words.ts";
import { COUNTERPARTS, NOT_SENT, type Reason, REASONS } from "./commands.ts";
import { type Sent, sentBy } from "./sent.ts";

// Each line that MRSK 0.13.2 sent for an example configuration, against what a command of this program sends: the same
// words, or the lines that `fixtures/examples/sent` spells out.

interface Recording {
  readonly config: {
    readonly file: string;
    readonly destination: string | null;
    readonly version: string;
    readonly environment: Readonly<Record<string, string>>;
  };
  readonly derived: unknown;
  readonly [part: string]: unknown;
}

const EXAMPLES = new URL("../fixtures/examples/", import.meta.url);
const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, EXAMPLES), "utf8")) as unknown;
const used = new Set<Reason>();

/** Every line of a recording with its path. MRSK had no command where it is null. */
function linesOf(value: unknown, path: readonly string[] = []): [string, string][] {
  if (value === null) return [];
  if (typeof value === "string") return [[path.join("/"), value]];
  return Object.entries(value as object).flatMap(([key, item]) => linesOf(item, [...path, key]));
}

const isSent = ([path]: [string, string]) => !NOT_SENT.some(({ lines }) => lines.test(path));

describe.each(readdirSync(new URL("expected/", EXAMPLES)))("%s", (file) => {
  const { config: given, derived: _, ...parts } = readJson(`expected/${file}`) as Recording;
  const differing = readJson(`sent/${file}`) as Readonly<Record<string, readonly string[]>>;
  const recorded = linesOf(parts).filter(isSent);
  const sent = new Map<string, readonly Sent[]>();

  beforeAll(async () => {
    const environment = new Map(Object.entries(given.environment));
    const destination = given.destination ?? undefined;
    const config = await loadConfig({ file: given.file, destination, cwd: fileURLToPath(EXAMPLES), environment });
    const names = COUNTERPARTS.filter(({ lines }) => recorded.some(([path]) => lines.test(path)));
    for (const command of new Set(names.map((one) => one.command)))
      sent.set(command, await sentBy(command, config, { version: given.version, environment }));
  });

  test.each(recorded)("%s", (path, line) => {
    const counterpart = COUNTERPARTS.find(({ lines }) => lines.test(path))!;
    const texts = sent.get(counterpart.command)!.map(({ text }) => text);
    const literal = differing[path];
    for (const reason of literal ? counterpart.why : []) used.add(reason);
    const missing = literal
      ? literal.filter((command) => !texts.some((text) => holds(text, command)))
      : [line].filter((command) => !texts.some((text) => holds(text, command) || hasWords(text, shellWords(command))));
    expect({ missing, listed: literal?.length }).toEqual({ missing: [], listed: literal?.length || undefined });
  });

  test("only lines that differ are listed as different", () => {
    const paths = recorded.map(([path]) => path);
    expect(Object.keys(differing).filter((path) => !paths.includes(path))).toEqual([]);
    for (const [path, literal] of Object.entries(differing)) {
      const [, line] = recorded.find(([other]) => other === path)!;
      expect(literal.map(wordsOf)).not.toContainEqual(wordsOf(line));
    }
  });
});

/** Whether the text contains exactly this command, alone or in a script. */
function holds(text: string, command: string): boolean {
  for (let at = text.indexOf(command); at >= 0; at = text.indexOf(command, at + 1)) {
    const ends = /^(?:$|[\n);]| (?:2?>|\|\||;;))/.test(text.slice(at + command.length));
    if (ends && (at === 0 || /[\n( ]/.test(text[at - 1]!))) return true;
  }
  return false;
}

/** Whether one of the text's lines, or a branch of a `case` in it, is a command of these words. */
function hasWords(text: string, words: readonly string[]): boolean {
  const commands = text.split("\n").map((line) =>
    line
      .trim()
      .replace(/^"?\S*"?\) /, "")
      .replace(/ ;;$/, ""),
  );
  return commands.some((command) => wordsOf(command).join("\0") === words.join("\0"));
}

/** The words of a line; none for a line that is not a complete command. */
function wordsOf(line: string): string[] {
  try {
    return shellWords(line);
  } catch {
    return [];
  }
}

test("every reason is used", () => {
  expect(Object.keys(REASONS).filter((reason) => !used.has(reason as Reason))).toEqual([]);
});
