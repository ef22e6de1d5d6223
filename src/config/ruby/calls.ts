import type * as Nodes from "@ruby/prism/src/nodes.js";
import { commandEnvironment } from "../env/variables.ts";
import { LocalCommandError, localCommand } from "../env/local-command.ts";
import type { Budget } from "./budget.ts";
import { type Call, callConstant, Refused } from "./constants.ts";
import type { RubyContext } from "./context.ts";
import { isWithoutEffect } from "./libraries.ts";
import { callMethod, Unsupported } from "./methods.ts";
import type { RubyNode } from "./prism.ts";
import { Failure, type ProgramSource } from "./program-source.ts";
import { type RubyValue, toText, truthy } from "./ruby-values.ts";

/** The parts of an evaluation that a call needs. */
export interface Evaluation {
  readonly nodes: typeof Nodes;
  readonly context: RubyContext;
  readonly source: ProgramSource;
  readonly budget: Budget;
  value(node: RubyNode): Promise<RubyValue>;
  values(nodes: readonly RubyNode[]): Promise<RubyValue[]>;
  /** The value of a block. */
  body(body: RubyNode | null): Promise<RubyValue>;
  /** Whether the node's value is not used. */
  isStatement(node: RubyNode): boolean;
}

/** Calls: of methods, of `ENV`, `File` and `Dotenv`, of shell commands, and of the template's two functions. */
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
    const given = node.arguments_?.arguments_ ?? [];
    if (node.receiver === null) return this.functionCall(node, given);
    if (node.receiver instanceof nodes.ConstantReadNode) {
      return this.constantCall(node, `${node.receiver.name}.${node.name}`, await this.evaluation.values(given));
    }
    if (node.block) throw this.source.unsupported(node);
    return this.methodCall(node, node.receiver, given);
  }

  /** `ENV["X"] ||= "value"` */
  async indexOr(node: Nodes.IndexOrWriteNode): Promise<RubyValue> {
    const { nodes } = this.evaluation;
    const { receiver, arguments_: given } = node;
    if (!(receiver instanceof nodes.ConstantReadNode) || node.block) throw this.source.unsupported(node);
    const args = await this.evaluation.values(given?.arguments_ ?? []);
    const before = await this.constant(node, { called: `${receiver.name}.[]`, args });
    if (truthy(before)) return before;
    const value = await this.evaluation.value(node.value);
    return this.constant(node, { called: `${receiver.name}.[]=`, args: [...args, value] });
  }

  /** `` `command` `` */
  async command(node: RubyNode, command: string): Promise<string> {
    const { cwd, environment } = this.context;
    try {
      return await localCommand(command, { cwd, environment: await commandEnvironment(environment) });
    } catch (error) {
      if (!(error instanceof LocalCommandError)) throw error;
      throw new Failure(node, `${this.source.excerpt(node)} ${error.message}`);
    }
  }

  private async functionCall(node: Nodes.CallNode, given: readonly RubyNode[]): Promise<RubyValue> {
    const { text, output } = this.context.functions;
    const [first] = given;
    if (node.name === text && first) this.context.text(Number(await this.evaluation.value(first)));
    else if (node.name === output && first) {
      // The value is in parentheses, which the tag does not have.
      const offset = this.source.offset(first) + 1;
      this.context.output(toText(await this.evaluation.value(first)), offset);
    } else if (node.name === "require") this.require(node, await this.evaluation.values(given));
    else throw this.source.unsupported(node);
    return null;
  }

  private require(node: RubyNode, args: readonly RubyValue[]): void {
    if (isWithoutEffect(args)) return;
    throw new Failure(
      node,
      `\`${this.source.excerpt(node)}\` is not possible: there is no Ruby here, so no library can be loaded`,
    );
  }

  private async methodCall(node: Nodes.CallNode, receiver: RubyNode, given: readonly RubyNode[]): Promise<RubyValue> {
    const on = await this.evaluation.value(receiver);
    if (on === null && node.isSafeNavigation()) return null;
    const args = await this.evaluation.values(given);
    for (const used of [on, ...args]) this.evaluation.budget.charge(used);
    try {
      return callMethod(on, node.name, args);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      const written = this.source.excerpt(receiver);
      const isNil = on === null && written !== "nil" ? ` (${written} is nil)` : "";
      throw new Failure(node, `${error.message}: \`${this.source.excerpt(node)}\`${isNil}`);
    }
  }

  /** @param called e.g. `ENV.fetch` */
  private async constantCall(node: Nodes.CallNode, called: string, args: readonly RubyValue[]): Promise<RubyValue> {
    const { block } = node;
    const plainBlock =
      block instanceof this.evaluation.nodes.BlockNode && block.parameters === null ? block : undefined;
    if (block && !plainBlock) throw this.source.unsupported(node);
    return this.constant(node, { called, args, isStatement: this.evaluation.isStatement(node) }, plainBlock);
  }

  private async constant(node: RubyNode, call: Call, block?: Nodes.BlockNode): Promise<RubyValue> {
    try {
      return await callConstant(call, {
        ...this.context,
        block: block && (() => this.evaluation.body(block.body)),
        note: (message) => this.context.note(this.source.offset(node), message),
      });
    } catch (error) {
      if (error instanceof Refused) throw new Failure(node, error.message);
      if (error instanceof Unsupported) throw this.source.unsupported(node);
      throw error;
    }
  }
}
