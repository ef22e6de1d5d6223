import type * as Nodes from "@ruby/prism/src/nodes.js";
import type { RubyNode } from "./prism.ts";
import { isList, Refused, RubyException, RubyHash, RubySymbol, type RubyValue, Unsupported } from "./ruby-values.ts";
import type { Scope } from "./scope.ts";

/** What the assignment of parameters needs of an evaluation. */
interface Assigning {
  readonly nodes: typeof Nodes;
  value(node: RubyNode): Promise<RubyValue>;
  /** Assigns to a variable, or to the parts of `(a, b)`. */
  assign(target: RubyNode, value: RubyValue): Promise<void>;
}

/**
 * Gives the parameters of a method, a lambda or a block their values, in the current scope.
 * @param strict false for a block: missing values are nil, and one list is split among several parameters
 */
export async function bindParameters(
  on: Assigning,
  parameters: RubyNode | null,
  given: readonly RubyValue[],
  { scope, strict }: { scope: Scope; strict: boolean },
): Promise<void> {
  const { nodes } = on;
  if (parameters instanceof nodes.NumberedParametersNode) {
    const values = parameters.maximum > 1 ? spread(given) : given;
    for (let index = 0; index < parameters.maximum; index++) scope.set(`_${index + 1}`, values[index] ?? null);
    return;
  }
  if (parameters instanceof nodes.ItParametersNode) {
    scope.set("it", given[0] ?? null);
    return;
  }
  const inner = parameters instanceof nodes.BlockParametersNode ? parameters.parameters : parameters;
  if (!(inner instanceof nodes.ParametersNode)) {
    if (strict && given.length > 0) throw wrongCount(given.length, "0");
    return;
  }
  if (inner.keywordRest || inner.block) throw new Unsupported();
  const keywords = inner.keywords.length > 0 && given.at(-1) instanceof RubyHash ? given.at(-1) : undefined;
  const positional = keywords ? given.slice(0, -1) : given;
  await bindPositional(on, inner, positional, strict);
  await bindKeywords(on, inner, keywords instanceof RubyHash ? keywords : new RubyHash(), scope);
}

async function bindPositional(
  on: Assigning,
  { requireds, optionals, rest, posts }: Nodes.ParametersNode,
  given: readonly RubyValue[],
  strict: boolean,
): Promise<void> {
  const { nodes } = on;
  const named = requireds.length + optionals.length + posts.length;
  const least = requireds.length + posts.length;
  const splits = named > 1 || (named > 0 && rest !== null);
  const values = strict || !splits ? given : spread(given);
  if (strict && (values.length < least || (values.length > named && !rest)))
    throw wrongCount(values.length, rest ? `${least}+` : least === named ? String(least) : `${least}..${named}`);
  let next = 0;
  for (const parameter of requireds) await on.assign(parameter, values[next++] ?? null);
  const free = Math.max(0, values.length - least);
  for (const [index, parameter] of optionals.entries()) {
    if (!(parameter instanceof nodes.OptionalParameterNode)) throw new Unsupported();
    await on.assign(parameter, index < free ? values[next++]! : await on.value(parameter.value));
  }
  const after = Math.max(next, values.length - posts.length);
  if (rest instanceof nodes.RestParameterNode) await on.assign(rest, values.slice(next, after));
  if (rest) next = after;
  for (const parameter of posts) await on.assign(parameter, values[next++] ?? null);
}

async function bindKeywords(
  on: Assigning,
  { keywords }: Nodes.ParametersNode,
  given: RubyHash,
  scope: Scope,
): Promise<void> {
  const { nodes } = on;
  const names = new Set<string>();
  for (const parameter of keywords) {
    const isOptional = parameter instanceof nodes.OptionalKeywordParameterNode;
    if (!isOptional && !(parameter instanceof nodes.RequiredKeywordParameterNode)) throw new Unsupported();
    const { name } = parameter;
    names.add(name);
    const value = given.get(new RubySymbol(name));
    if (value === undefined && !isOptional) throw argumentError(`missing keyword: :${name}`);
    scope.set(name, value ?? (isOptional && value === undefined ? await on.value(parameter.value) : null));
  }
  for (const [key] of given.pairs()) {
    if (!(key instanceof RubySymbol) || !names.has(key.name)) throw argumentError("unknown keyword");
  }
}

function spread(given: readonly RubyValue[]): readonly RubyValue[] {
  const [first] = given;
  return given.length === 1 && isList(first) ? first : given;
}

function wrongCount(given: number, expected: string): Refused {
  return argumentError(`wrong number of arguments (given ${given}, expected ${expected})`);
}

function argumentError(message: string): Refused {
  return new Refused(message, new RubyException("ArgumentError", message));
}
