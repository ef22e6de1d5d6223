import type * as Nodes from "@ruby/prism/src/nodes.js";
import { commandEnvironment } from "../env/variables.ts";
import { LocalCommandError, localCommand } from "../env/local-command.ts";
import type { Budget } from "./budget.ts";
import { type Call, callConstant } from "./constants.ts";
import type { RubyContext } from "./context.ts";
import { callFunction } from "./functions.ts";
import { BreakJump } from "./jumps.ts";
import { LIST_BLOCKS } from "./lists.ts";
import { callMethod } from "./methods.ts";
import type { RubyNode } from "./prism.ts";
import { Failure, type ProgramSource } from "./program-source.ts";
import {
  isList,
  Refused,
  RubyException,
  RubyHash,
  RubyProc,
  RubySymbol,
  type RubyValue,
  toText,
  truthy,
  Unsupported,
} from "./ruby-values.ts";

/** The block of a call. `target`: what a `break` in it leaves. */
export interface GivenBlock {
  readonly proc: RubyProc;
  readonly target: object;
}

/** The parts of an evaluation that a call needs. */
export interface Evaluation {
  readonly nodes: typeof Nodes;
  readonly context: RubyContext;
  readonly source: ProgramSource;
  readonly budget: Budget;
  value(node: RubyNode): Promise<RubyValue>;
  values(nodes: readonly RubyNode[]): Promise<RubyValue[]>;
  /** @param isStatement whether the value of the call is not used */
  block(block: Nodes.BlockNode, isStatement: boolean): GivenBlock;
  /** The constant that the program itself assigned. */
  ownConstant(name: string): RubyValue | undefined;
  /** Calls a method that the program defines; undefined if there is none. */
  ownMethod(name: string, args: readonly RubyValue[], node: RubyNode): Promise<RubyValue> | undefined;
  /** Whether the node's value is not used. */
  isStatement(node: RubyNode): boolean;
}

/** What `x[…] ||= value`, `x[…] += value` and so on have in common. */
type IndexWrite = Nodes.IndexOrWriteNode | Nodes.IndexAndWriteNode | Nodes.IndexOperatorWriteNode;

/** Calls: of methods, of `ENV`, `File` and so on, of shell commands, and of the template's two functions. */
export class Calls {
  private readonly evaluation: Evaluation;
  private readonly context: RubyContext;
  private readonly source: ProgramSource;

  constructor(evaluation: Evaluation) {
    this.evaluation = evaluation;
    this.context = evaluation.context;
    this.source = evaluation.source;
  }

  /** @throws Failure */
  async call(node: Nodes.CallNode): Promise<RubyValue> {
    const { nodes } = this.evaluation;
    const isStatement = this.evaluation.isStatement(node);
    const given = node.arguments_?.arguments_ ?? [];
    const block = await this.blockOf(node, isStatement);
    try {
      if (node.receiver === null) return await this.functionCall(node, given, block?.proc);
      const constant = this.constantName(node.receiver);
      if (constant !== undefined) {
        const args = await this.evaluation.values(given);
        return await this.constant(node, { called: `${constant}.${node.name}`, args, isStatement }, block?.proc);
      }
      if (node.name === "with_index" && node.receiver instanceof nodes.CallNode && block)
        return await this.withIndex(node, node.receiver, given, block.proc);
      return await this.methodCall(node, node.receiver, given, block?.proc);
    } catch (error) {
      if (error instanceof BreakJump && error.target === block?.target) return error.value;
      throw error;
    }
  }

  /** `ENV["X"] ||= "value"`, `hash["x"] += 1` */
  async indexWrite(node: IndexWrite): Promise<RubyValue> {
    const { nodes } = this.evaluation;
    const { receiver, arguments_: given } = node;
    if (!receiver || node.block) throw this.source.unsupported(node);
    const constant = this.constantName(receiver);
    const on = constant === undefined ? await this.evaluation.value(receiver) : null;
    const args = await this.evaluation.values(given?.arguments_ ?? []);
    const access = (name: string, all: readonly RubyValue[]) =>
      constant === undefined
        ? this.guarded(node, () => callMethod(on, name, all))
        : this.constant(node, { called: `${constant}.${name}`, args: all });
    const before = await access("[]", args);
    if (node instanceof nodes.IndexOrWriteNode && truthy(before)) return before;
    if (node instanceof nodes.IndexAndWriteNode && !truthy(before)) return before;
    const value = await this.evaluation.value(node.value);
    const after =
      node instanceof nodes.IndexOperatorWriteNode
        ? await this.operate(node, before, node.binaryOperator, value)
        : value;
    return access("[]=", [...args, after]);
  }

  /** `a + b`, for `x += b`. */
  operate(node: RubyNode, on: RubyValue, operator: string, value: RubyValue): Promise<RubyValue> {
    for (const used of [on, value]) this.evaluation.budget.charge(used);
    return this.guarded(node, () => callMethod(on, operator, [value]));
  }

  /** `` `command` `` */
  async command(node: RubyNode, command: string): Promise<string> {
    const { cwd, environment } = this.context;
    try {
      return await localCommand(command, { cwd, environment: await commandEnvironment(environment) });
    } catch (error) {
      if (!(error instanceof LocalCommandError)) throw error;
      // Ruby raises only if there is no such program. A command that fails must not go unnoticed.
      const exception = error.exitCode === 127 ? new RubyException("Errno::ENOENT") : undefined;
      const message = `${this.source.excerpt(node)} ${error.message}`;
      throw new Failure(node, message, new Refused(message, exception));
    }
  }

  /** Turns what a call throws into a failure at its node. @throws Failure */
  async guarded<T>(node: RubyNode, work: () => T | Promise<T>, describe?: (message: string) => string): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Unsupported && (!describe || error.message === "")) throw this.source.unsupported(node);
      if (!(error instanceof Unsupported || error instanceof Refused)) throw error;
      throw new Failure(node, describe?.(error.message) ?? error.message, error);
    }
  }

  private async blockOf(node: Nodes.CallNode, isStatement: boolean): Promise<GivenBlock | undefined> {
    const { nodes } = this.evaluation;
    const { block } = node;
    if (block === null) return undefined;
    if (block instanceof nodes.BlockNode) return this.evaluation.block(block, isStatement);
    if (!(block instanceof nodes.BlockArgumentNode) || !block.expression) throw this.source.unsupported(node);
    const value = await this.evaluation.value(block.expression);
    if (value instanceof RubyProc) return { proc: value, target: {} };
    if (!(value instanceof RubySymbol)) throw this.source.unsupported(node);
    const call = ([on = null, ...args]: readonly RubyValue[]) => callMethod(on, value.name, args);
    return { proc: new RubyProc(call), target: {} };
  }

  /** The name of a constant of Ruby: `ENV`, `Digest::SHA256`. undefined for other receivers, and for constants of the program. */
  private constantName(node: RubyNode): string | undefined {
    const name = constantName(this.evaluation.nodes, node);
    return name === undefined || this.evaluation.ownConstant(name) !== undefined ? undefined : name;
  }

  private async functionCall(
    node: Nodes.CallNode,
    given: readonly RubyNode[],
    block: RubyProc | undefined,
  ): Promise<RubyValue> {
    const { text, output } = this.context.functions;
    const [first] = given;
    if (node.name === text && first) {
      this.evaluation.budget.charge(this.context.text(Number(await this.evaluation.value(first))));
      return null;
    }
    if (node.name === output && first) {
      // The value is in parentheses, which the tag does not have.
      const offset = this.source.offset(first) + 1;
      const value = await this.evaluation.value(first);
      this.context.output(await this.guarded(first, () => toText(value)), offset);
      return null;
    }
    const args = await this.evaluation.values(given);
    if (node.name === "loop" && block) return this.endless(block);
    const own = block ? undefined : this.evaluation.ownMethod(node.name, args, node);
    if (own) return own;
    const context = { environment: this.context.environment, note: this.noteAt(node) };
    return this.guarded(node, () => callFunction(node.name, args, context, block));
  }

  /** `loop`. It ends by `break`, or at a limit. */
  private async endless(block: RubyProc): Promise<never> {
    for (;;) await block.call([]);
  }

  /** `each.with_index(1)`, `map.with_index` */
  private async withIndex(
    node: Nodes.CallNode,
    enumerator: Nodes.CallNode,
    given: readonly RubyNode[],
    block: RubyProc,
  ): Promise<RubyValue> {
    const run = LIST_BLOCKS.get(enumerator.name)?.run;
    if (!run || !enumerator.receiver || enumerator.block || enumerator.arguments_) throw this.source.unsupported(node);
    const on = await this.evaluation.value(enumerator.receiver);
    const items = on instanceof RubyHash ? on.pairs() : on;
    const [start = 0n, ...more] = await this.evaluation.values(given);
    if (!isList(items) || typeof start !== "bigint" || more.length > 0) throw this.source.unsupported(node);
    let next = start;
    const result = await run(items, new RubyProc((args) => block.call([...args, next++])), []);
    return result ?? null;
  }

  private async methodCall(
    node: Nodes.CallNode,
    receiver: RubyNode,
    given: readonly RubyNode[],
    block: RubyProc | undefined,
  ): Promise<RubyValue> {
    const on = await this.evaluation.value(receiver);
    if (on === null && node.isSafeNavigation()) return null;
    const args = await this.evaluation.values(given);
    for (const used of [on, ...args]) this.evaluation.budget.charge(used);
    const written = this.source.excerpt(receiver);
    const isNil = on === null && written !== "nil" ? ` (${written} is nil)` : "";
    return this.guarded(
      node,
      () => callMethod(on, node.name, args, block),
      (message) => `${message}: \`${this.source.excerpt(node)}\`${isNil}`,
    );
  }

  private constant(node: RubyNode, call: Call, block?: RubyProc): Promise<RubyValue> {
    return this.guarded(node, () => callConstant(call, { ...this.context, block, note: this.noteAt(node) }));
  }

  private noteAt(node: RubyNode): (message: string) => void {
    return (message) => this.context.note(this.source.offset(node), message);
  }
}

/** `A`, `A::B`; undefined for any other node. */
export function constantName(nodes: typeof Nodes, node: RubyNode): string | undefined {
  if (node instanceof nodes.ConstantReadNode) return node.name;
  if (!(node instanceof nodes.ConstantPathNode) || node.name === null) return undefined;
  if (node.parent === null) return node.name;
  const parent = constantName(nodes, node.parent);
  return parent === undefined ? undefined : `${parent}::${node.name}`;
}
