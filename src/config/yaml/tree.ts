/** A position in a file. Lines and columns start at 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A mistake in a file. `path` is that of its key; empty if it belongs to none. */
export interface Problem {
  readonly at: Position;
  readonly path: Path;
  readonly message: string;
  /** Set for text that Kamal 2 takes, as Ruby does: what the tree has then. */
  readonly tolerated?: string;
}

export type Path = readonly (string | number)[];

/** The content of a file, with the position of every value. */
export type Tree = TreeMap | TreeList | TreeScalar;

export interface TreeMap {
  readonly kind: "map";
  readonly at: Position;
  readonly entries: ReadonlyMap<string, { readonly keyAt: Position; readonly value: Tree }>;
}

interface TreeList {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly Tree[];
}

export interface TreeScalar {
  readonly kind: "scalar";
  readonly at: Position;
  readonly value: string | number | boolean | null;
  /** The text of the value's `to_s` in Ruby. */
  readonly ruby: string;
  /** The text in the file. */
  readonly source: string;
  readonly base60: boolean;
}

/** Merges a destination over its base: maps key by key; any other value, also null, replaces the base's. */
export function mergeTrees(base: Tree, over: Tree): Tree {
  if (base.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    entries.set(key, below ? { keyAt: entry.keyAt, value: mergeTrees(below.value, entry.value) } : entry);
  }
  return { ...over, entries };
}

/** The position of `path`, or of the deepest part of it that exists. For a map's entry, that of its key. */
export function positionOf(tree: Tree, path: Path): Position {
  let at = tree.at;
  let here: Tree | undefined = tree;
  for (const part of path) {
    if (here?.kind === "map") {
      const entry: { keyAt: Position; value: Tree } | undefined = here.entries.get(String(part));
      if (!entry) return at;
      at = entry.keyAt;
      here = entry.value;
    } else if (here?.kind === "list") {
      const item: Tree | undefined = here.items[Number(part)];
      if (!item) return at;
      at = item.at;
      here = item;
    } else {
      return at;
    }
  }
  return at;
}

/** Below these keys a number becomes the text of its `to_s` in Ruby; elsewhere it remains a number. */
const FREE_TEXT = new Set(["env", "labels", "args", "options"]);

/** Keys for which the digits count, not the number: a mode `0644`, a version `1.10`. */
const VERBATIM = new Set(["mode", "minimum_version", "image", "service", "target"]);

/** The values without positions, as the schema needs them. */
export function toPlain(tree: Tree, path: Path = []): unknown {
  if (tree.kind === "scalar") return plainScalar(tree, path);
  if (tree.kind === "list") return tree.items.map((item, index) => toPlain(item, [...path, index]));
  return recordOf(Array.from(tree.entries, ([key, { value }]) => [key, toPlain(value, [...path, key])]));
}

/** An object without a prototype: `constructor` and `__proto__` are names like any other. */
export function recordOf<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const record = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) record[key] = value;
  return record;
}

function plainScalar(scalar: TreeScalar, path: Path): string | number | boolean | null {
  if (typeof scalar.value !== "number") return scalar.value;
  const values = path.some((part) => part === "env" || part === "labels") || path[0] === "builder";
  // Ruby reads `53:53` as 193980. For a port mapping the text is meant.
  if (scalar.base60) return values ? scalar.ruby : scalar.source;
  if (path.some((part) => FREE_TEXT.has(String(part)))) return scalar.ruby;
  const key = path.findLast((part) => typeof part === "string");
  return VERBATIM.has(String(key)) ? scalar.source : scalar.value;
}

/** One line for each problem, in the order of the files, without duplicates. */
export function problemLines(
  problems: readonly Problem[],
  files: readonly string[] = [...new Set(problems.map(({ at }) => at.file))],
): string[] {
  const sorted = problems.toSorted(
    (a, b) => files.indexOf(a.at.file) - files.indexOf(b.at.file) || a.at.line - b.at.line || a.at.column - b.at.column,
  );
  return [
    ...new Set(
      sorted.map(({ at, path, message }) => `${place(at)}: ${path.length > 0 ? `${path.join("/")}: ` : ""}${message}`),
    ),
  ];
}

export function place({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}
