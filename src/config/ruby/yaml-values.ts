import type { Tree } from "../yaml/tree.ts";
import { readYaml } from "../yaml/yaml.ts";
import { Refused, RubyException, RubyHash, type RubyValue, Unsupported } from "./ruby-values.ts";

/** `YAML.load` @throws Refused for invalid YAML, with its line in `name` */
export function loadYaml(text: string, name: string): RubyValue {
  const lines = (offset: number) => text.slice(0, offset).split("\n").length;
  const { tree, problems } = readYaml(text, (offset) => ({ file: name, line: lines(offset), column: 1 }));
  const first = problems.find(({ tolerated }) => tolerated === undefined);
  if (first || !tree)
    throw new Refused(
      `not valid YAML: ${name}:${first?.at.line}: ${first?.message}`,
      new RubyException("Psych::SyntaxError"),
    );
  return valueOf(tree);
}

/** Ruby makes a symbol or a date of these. */
const OTHER_TYPES = /^:|^\d{4}-\d{1,2}-\d{1,2}/;

/** Keys that may be no strings in Ruby. */
const TYPED_KEYS = /^[-+.:\d~]|^(?:true|false|yes|no|on|off|y|n|null|)$/i;

function valueOf(tree: Tree): RubyValue {
  if (tree.kind === "list") return tree.items.map(valueOf);
  if (tree.kind === "map") {
    return new RubyHash(Array.from(tree.entries, ([key, { value }]) => [checked(key, TYPED_KEYS), valueOf(value)]));
  }
  const { value, ruby } = tree;
  if (typeof value === "string") return checked(value, OTHER_TYPES);
  if (typeof value !== "number") return value;
  return /^-?\d+$/.test(ruby) ? BigInt(ruby) : value;
}

function checked(text: string, others: RegExp): string {
  if (others.test(text)) throw new Unsupported(`a type of YAML is not supported here: ${text}`);
  return text;
}
