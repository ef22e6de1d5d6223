import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type ParsedNode,
  Scalar,
  type YAMLMap,
} from "yaml";
import { readPlain } from "./psych.ts";
import { type Position, place, type Problem, type Tree, type TreeMap, type TreeScalar } from "./tree.ts";

/** Turns an offset of the YAML text into the place in the file it comes from (not the same where ERB made the text). */
export type Locate = (offset: number) => Position;

/** Locates in a text that is the file itself. */
export function locateIn(text: string, file: string): Locate {
  const counter = new LineCounter();
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) counter.addNewLine(at + 1);
  // The counter wants to know where the first line starts, too.
  counter.lineStarts.unshift(0);
  return (offset) => {
    const { line, col } = counter.linePos(offset);
    return { file, line, column: col };
  };
}

/** Reads YAML as Ruby does, keeping every place. An empty text is null; what is not YAML has no tree. */
export function readYaml(text: string, locate: Locate): { tree: Tree | undefined; problems: Problem[] } {
  // The scalars are read below, by Ruby's rules; "failsafe" leaves all of them as text.
  const document = parseDocument(text, { schema: "failsafe", uniqueKeys: false, prettyErrors: false, merge: false });
  // Several complaints about one place are one mistake.
  const errors = document.errors.filter(
    ({ pos }, index, all) => all.findIndex((other) => other.pos[0] === pos[0]) === index,
  );
  const problems: Problem[] = errors.map((error) => ({
    at: locate(error.pos[0]),
    path: [],
    message: explain(error.code, error.message),
  }));
  const reader = new Reader(locate, problems);
  const empty: TreeScalar = { kind: "scalar", at: locate(0), value: null, ruby: "", source: "", base60: false };
  const contents = document.contents;
  if (problems.length > 0) return { tree: undefined, problems };
  return { tree: contents ? reader.read(contents) : empty, problems };
}

/** What the parser says, where its own words are about YAML's grammar and not about what was written. */
const EXPLAINED: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: "a `key: value` stands inside a value: check the indentation, or put quotes around the value",
  BLOCK_IN_FLOW: "an indented block cannot stand between brackets",
  MULTILINE_IMPLICIT_KEY: "a key should be on one line: is a colon or a closing quote missing?",
  MULTIPLE_DOCS: "a second document starts here: a file is one document, remove the `---`",
  TAB_AS_INDENT: "a tab cannot indent YAML: use spaces",
};

function explain(code: string, message: string): string {
  return EXPLAINED[code] ?? message.replaceAll("\n", " ");
}

/** Most aliases a file may expand to: a guard against documents that grow without end. */
const MOST_ALIASES = 1000;

class Reader {
  private readonly locate: Locate;
  private readonly problems: Problem[];
  private readonly anchors = new Map<string, ParsedNode>();
  private aliases = 0;

  constructor(locate: Locate, problems: Problem[]) {
    this.locate = locate;
    this.problems = problems;
  }

  read(node: ParsedNode | null, keyOffset = 0): Tree {
    if (node === null) return this.scalar(null, this.locate(keyOffset));
    const at = this.locate(node.range[0]);
    if ("anchor" in node && node.anchor) this.anchors.set(node.anchor, node);
    if (isAlias(node)) return this.alias(node.source, at);
    this.checkTag(node.tag, isScalar(node), at);
    if (isMap(node)) return this.map(node, at);
    if (isSeq(node)) return { kind: "list", at, items: node.items.map((item) => this.read(item)) };
    return this.scalar(node, at);
  }

  private alias(name: string, at: Position): Tree {
    const target = this.anchors.get(name);
    this.aliases += 1;
    if (target && this.aliases <= MOST_ALIASES) return this.read(target);
    this.problem(at, target ? "too many aliases" : `unknown alias: *${name} (no &${name} above)`);
    return this.scalar(null, at);
  }

  private map(node: YAMLMap.Parsed, at: Position): TreeMap {
    const entries = new Map<string, { keyAt: Position; value: Tree }>();
    const merged: Tree[] = [];
    for (const { key, value } of node.items) {
      const keyNode = key as ParsedNode | null;
      const keyAt = this.locate(keyNode?.range[0] ?? node.range[0]);
      const read = this.read(keyNode);
      if (read.kind !== "scalar") {
        this.problem(keyAt, "a key should be one word, not a list or a map");
        continue;
      }
      const tree = this.read(value, keyNode?.range[1]);
      if (read.source === "<<" && isScalar(keyNode) && keyNode.type === "PLAIN") {
        merged.push(...(tree.kind === "list" ? tree.items : [tree]));
        continue;
      }
      const name = read.base60 ? read.source : read.ruby;
      const before = entries.get(name);
      if (before) this.problem(keyAt, `duplicate key: ${name} (first written at ${place(before.keyAt)})`);
      entries.set(name, { keyAt, value: tree });
    }
    return { kind: "map", at, entries: this.withMerged(entries, merged) };
  }

  /** `<<`: what is written in the map itself wins, then the first of the merged maps. */
  private withMerged(
    entries: Map<string, { keyAt: Position; value: Tree }>,
    merged: readonly Tree[],
  ): TreeMap["entries"] {
    if (merged.length === 0) return entries;
    const all: [string, { keyAt: Position; value: Tree }][] = [];
    for (const tree of merged.toReversed()) {
      if (tree.kind === "map") all.push(...tree.entries);
      else this.problem(tree.at, "<< merges maps: give it an alias of a map");
    }
    return new Map([...all, ...entries]);
  }

  private scalar(node: Scalar.Parsed | null, at: Position): TreeScalar {
    const text = typeof node?.value === "string" ? node.value : "";
    const typed = /^tag:yaml.org,2002:(?:int|float|bool|null)$/.test(node?.tag ?? "");
    const plain = node === null || typed || (node.type === Scalar.PLAIN && node.tag !== "tag:yaml.org,2002:str");
    const read = plain ? readPlain(text) : { value: text, ruby: text, base60: false };
    return { kind: "scalar", at, source: text, ...read };
  }

  private checkTag(tag: string | undefined, isScalarNode: boolean, at: Position): void {
    if (!tag || tag === "!") return;
    const known = isScalarNode ? /^tag:yaml.org,2002:(?:str|int|float|bool|null)$/ : /^tag:yaml.org,2002:(?:map|seq)$/;
    if (!known.test(tag)) this.problem(at, `the tag ${tag} is not supported: write the plain value`);
  }

  private problem(at: Position, message: string): void {
    this.problems.push({ at, path: [], message });
  }
}
