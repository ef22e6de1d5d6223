import { isAlias, isMap, isScalar, isSeq, parseDocument, type ParsedNode, Scalar, type YAMLMap } from "yaml";
import { lineStarts, placeIn } from "./line-starts.ts";
import { readPlain } from "./psych.ts";
import { MOST_LEVELS, TOO_DEEP, tooDeep } from "./yaml-depth.ts";
import { type Position, place, type Problem, type Tree, type TreeMap, type TreeScalar } from "./tree.ts";

/** Turns an offset of the YAML text into the position in the file. The two differ if ERB made the text. */
export type Locate = (offset: number) => Position;

/** Positions in a text that is the file itself. */
export function locateIn(text: string, file: string): Locate {
  const starts = lineStarts(text);
  return (offset) => ({ file, ...placeIn(starts, offset) });
}

/** Reads YAML as Ruby does, with the position of every value. An empty text is null; invalid YAML has no tree. */
export function readYaml(text: string, locate: Locate): { tree: Tree | undefined; problems: Problem[] } {
  const { contents, problems } = parse(text, locate);
  if (problems.some(({ tolerated }) => tolerated === undefined)) return { tree: undefined, problems };
  const empty: TreeScalar = { kind: "scalar", at: locate(0), value: null, ruby: "", source: "", base60: false };
  const reader = new Reader(locate, problems);
  const tree = contents ? reader.read(contents) : empty;
  return { tree: reader.exhausted ? undefined : tree, problems };
}

const CONTROL_CHARACTER = new RegExp("[\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]");

function parse(text: string, locate: Locate): { contents?: ParsedNode | null; problems: Problem[] } {
  const refused = (offset: number, message: string) => ({ problems: [{ at: locate(offset), path: [], message }] });
  const control = text.search(CONTROL_CHARACTER);
  if (control !== -1) return refused(control, "YAML allows no control character: remove the one here");
  const deep = tooDeep(text);
  if (deep !== undefined) return refused(deep, TOO_DEEP);
  // "failsafe" leaves all scalars as text. They are read below, by Ruby's rules.
  const document = parseDocument(text, { schema: "failsafe", uniqueKeys: false, prettyErrors: false, merge: false });
  const directives = document.warnings.filter(({ code }) => code === "BAD_DIRECTIVE");
  // Several errors at one position are one mistake.
  const first = new Map([...document.errors, ...directives].toReversed().map((error) => [error.pos[0], error]));
  const all = [...first.values()].toSorted((a, b) => a.pos[0] - b.pos[0]);
  // After a mistake, the parser reports every further word as unexpected.
  const distinct = all.filter(({ code }, index) => index === 0 || code !== "UNEXPECTED_TOKEN");
  const problems: Problem[] = distinct.map(({ pos, code, message }) => ({
    at: locate(pos[0]),
    path: [],
    message: interpolation(text, pos[0]) ?? explain(code, message),
    ...(code === "MULTIPLE_DOCS" ? { tolerated: "only the first document counts" } : {}),
  }));
  return { contents: document.contents, problems };
}

/** Messages that replace those of the parser which are about the grammar of YAML. */
const EXPLAINED = new Map(
  Object.entries({
    BLOCK_AS_IMPLICIT_KEY:
      "there is a `key: value` inside a value: check the indentation, or put quotes around the value",
    BLOCK_IN_FLOW: "an indented block cannot be between brackets",
    MULTILINE_IMPLICIT_KEY: "a key should be on one line: is a colon or a closing quote missing?",
    MULTIPLE_DOCS: "a second document starts here: a file is one document, remove the `---` or `...`",
    TAB_AS_INDENT: "a tab cannot indent YAML: use spaces",
  }),
);

/** The message for `${NAME}` without quotes between brackets, where `{` begins a map. */
function interpolation(text: string, offset: number): string | undefined {
  const [whole, name] = /^\$\{(\w+)[^}]*\}/.exec(text.slice(offset - 1, offset + 200)) ?? [];
  if (whole === undefined) return undefined;
  return `${whole} is not YAML between brackets: write <%= ENV["${name}"] %>, or put quotes around it if the host replaces it`;
}

function explain(code: string, message: string): string {
  return EXPLAINED.get(code) ?? message.replaceAll("\n", " ");
}

/** Values of a file with its aliases expanded: a limit for documents that grow exponentially. */
const MOST_VALUES = 200_000;

class Reader {
  private readonly locate: Locate;
  private readonly problems: Problem[];
  private readonly anchors = new Map<string, ParsedNode>();
  /** The nodes that are being read, outermost first: an alias of one of them would never end. */
  private readonly open = new Set<ParsedNode>();
  private values = 0;
  private depth = 0;
  exhausted = false;

  constructor(locate: Locate, problems: Problem[]) {
    this.locate = locate;
    this.problems = problems;
  }

  read(node: ParsedNode | null, keyOffset = 0): Tree {
    if (node === null) return this.scalar(null, this.locate(keyOffset));
    const at = this.locate(node.range[0]);
    if (!this.affords(at)) return this.scalar(null, at);
    if ("anchor" in node && node.anchor) this.anchors.set(node.anchor, node);
    if (isAlias(node)) return this.alias(node.source, at);
    this.checkTag(node.tag, isScalar(node), at);
    this.open.add(node);
    this.depth += 1;
    const tree = this.value(node, at);
    this.depth -= 1;
    this.open.delete(node);
    return tree;
  }

  private value(node: ParsedNode, at: Position): Tree {
    if (isMap(node)) return this.map(node, at);
    if (isSeq(node)) return { kind: "list", at, items: node.items.map((item) => this.read(item)) };
    return this.scalar(isScalar(node) ? node : null, at);
  }

  /** Counts a value. false: the limit is exceeded, and nothing more is read. */
  private affords(at: Position): boolean {
    this.values += 1;
    if (this.exhausted || (this.values <= MOST_VALUES && this.depth < MOST_LEVELS)) return !this.exhausted;
    this.problem(
      at,
      this.depth < MOST_LEVELS ? `with its aliases, the file has more than ${MOST_VALUES} values here` : TOO_DEEP,
    );
    this.exhausted = true;
    return false;
  }

  private alias(name: string, at: Position): Tree {
    const target = this.anchors.get(name);
    if (target && !this.open.has(target)) return this.read(target);
    const message = target
      ? `*${name} refers to &${name} from inside of it, which would never end`
      : `unknown alias: *${name} (no &${name} above)`;
    this.problem(at, message);
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
        for (const one of tree.kind === "list" ? tree.items : [tree]) merged.push(one);
        continue;
      }
      const name = read.base60 ? read.source : read.ruby;
      const before = entries.get(name);
      if (before)
        this.problem(
          keyAt,
          `duplicate key: ${name} (first written at ${place(before.keyAt)})`,
          "the last value counts",
        );
      entries.set(name, { keyAt, value: tree });
    }
    return { kind: "map", at, entries: this.withMerged(entries, merged) };
  }

  /** `<<`: the map's own keys win, then those of the first merged map. */
  private withMerged(
    entries: Map<string, { keyAt: Position; value: Tree }>,
    merged: readonly Tree[],
  ): TreeMap["entries"] {
    if (merged.length === 0) return entries;
    const all = new Map<string, { keyAt: Position; value: Tree }>();
    for (const tree of merged.toReversed()) {
      if (tree.kind === "map") for (const [key, entry] of tree.entries) all.set(key, entry);
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

  private problem(at: Position, message: string, tolerated?: string): void {
    if (!this.exhausted) this.problems.push({ at, path: [], message, ...(tolerated ? { tolerated } : {}) });
  }
}
