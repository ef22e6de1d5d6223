import type * as Nodes from "@ruby/prism/src/nodes.js";
import { constantName } from "./calls.ts";
import { isKnownConstantCall } from "./constants.ts";
import { isKnownFunction } from "./functions.ts";
import { isKnownMethod } from "./methods.ts";
import type { RubyNode } from "./prism.ts";
import { isKnownClass } from "./ruby-values.ts";

interface Known {
  readonly nodes: typeof Nodes;
  /** Functions of the template, next to those of Ruby. */
  readonly functions: readonly string[];
  readonly canEvaluate: (node: RubyNode) => boolean;
}

/**
 * The first node whose kind or name is not supported, whatever the values are; undefined if there is none. Whether a
 * method fits its values shows only when it is called.
 */
export function firstUnknown(program: Nodes.ProgramNode, known: Known): RubyNode | undefined {
  const { nodes } = known;
  const all: RubyNode[] = [];
  const own = new Set<string>(known.functions);
  const waiting: RubyNode[] = [program];
  while (waiting.length > 0) {
    const node = waiting.pop()!;
    all.push(node);
    if (node instanceof nodes.DefNode || node instanceof nodes.ConstantWriteNode) own.add(node.name);
    waiting.push(...childrenOf(nodes, node).toReversed());
  }
  const parts = partsOf(nodes);
  return all.find((node) => {
    if (node instanceof nodes.CallNode) return !isKnownCall(nodes, node, own);
    const constant = constantName(nodes, node);
    if (constant !== undefined) return !own.has(constant) && !isKnownClass(constant) && constant !== "File::SEPARATOR";
    return !known.canEvaluate(node) && !parts.has(node.constructor);
  });
}

/** Without the receiver of `ENV.fetch`, and without the parts of `Digest::SHA256`. */
function childrenOf(nodes: typeof Nodes, node: RubyNode): RubyNode[] {
  if (node instanceof nodes.ConstantPathNode) return [];
  const children = node.compactChildNodes();
  const receiver = "receiver" in node ? node.receiver : null;
  const isConstant = receiver instanceof nodes.ConstantReadNode || receiver instanceof nodes.ConstantPathNode;
  return isConstant ? children.filter((child) => child !== receiver) : children;
}

function isKnownCall(nodes: typeof Nodes, node: Nodes.CallNode, own: ReadonlySet<string>): boolean {
  const { receiver, name } = node;
  if (receiver === null) return own.has(name) || isKnownFunction(name) || (name === "loop" && node.block !== null);
  const constant = constantName(nodes, receiver);
  if (constant !== undefined && !own.has(constant)) {
    return isKnownConstantCall(`${constant}.${name}`);
  }
  return isKnownMethod(name, node.block !== null) || (name === "with_index" && node.block !== null);
}

/** Classes of nodes that are evaluated as a part of another. */
function partsOf(nodes: typeof Nodes): ReadonlySet<unknown> {
  return new Set<unknown>([
    nodes.ProgramNode,
    nodes.ArgumentsNode,
    nodes.BlockNode,
    nodes.BlockArgumentNode,
    nodes.BlockParametersNode,
    nodes.BlockLocalVariableNode,
    nodes.NumberedParametersNode,
    nodes.ItParametersNode,
    nodes.ParametersNode,
    nodes.RequiredParameterNode,
    nodes.OptionalParameterNode,
    nodes.RequiredKeywordParameterNode,
    nodes.OptionalKeywordParameterNode,
    nodes.RestParameterNode,
    nodes.ImplicitRestNode,
    nodes.MultiTargetNode,
    nodes.LocalVariableTargetNode,
    nodes.InstanceVariableTargetNode,
    nodes.SplatNode,
    nodes.AssocNode,
    nodes.AssocSplatNode,
    nodes.EmbeddedStatementsNode,
    nodes.EmbeddedVariableNode,
    nodes.WhenNode,
    nodes.RescueNode,
    nodes.EnsureNode,
  ]);
}
