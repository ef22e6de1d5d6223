import type * as Nodes from "@ruby/prism/src/nodes.js";
import { charactersOf } from "./offsets.ts";
import { integerOf } from "./integer.ts";
import { LocalCommandError, localCommand } from "../env/local-command.ts";
import { loadPrism, type ParseRuby, type RubyNode } from "./prism.ts";
import { Budget, checkSize, TooMuch } from "./budget.ts";
import { type Call, callConstant, Refused } from "./constants.ts";
import { isHarmless } from "./libraries.ts";
import { callMethod, Unsupported } from "./methods.ts";
import { type RubyValue, toText, truthy } from "./ruby-values.ts";
import { commandEnvironment, type Variables } from "../env/variables.ts";

/** What a template's program talks to. Offsets are those of the program. */
export interface RubyContext {
  readonly environment: Variables;
  readonly cwd: string;
  /** What the program calls `text` and `output` below. */
  readonly functions: { readonly text: string; readonly output: string };
  readonly text: (index: number) => void;
  readonly output: (value: string, offset: number) => void;
  /** What the user wrote there, on one line. */
  readonly excerpt: (from: number, to: number) => string;
  readonly problem: (offset: number, message: string) => void;
  readonly note: (offset: number, message: string) => void;
}

/** Evaluates a named part of Ruby on Ruby's own syntax tree; says so of everything else. Nothing is ever `eval`ed. */
export async function loadRuby(): Promise<{ evaluate(source: string, context: RubyContext): Promise<boolean> }> {
  const [nodes, parse] = await Promise.all([import("@ruby/prism/src/nodes.js"), loadPrism()]);
  return { evaluate: (source, context) => new Evaluator(nodes, parse, source, context).run() };
}

/** A mistake at a node. */
class Failure extends Error {
  readonly node: RubyNode;

  constructor(node: RubyNode, message: string) {
    super(message);
    this.node = node;
  }
}

const SUPPORTED = 'ENV["X"], ENV.fetch("X", "default"), File.read("path"), `command`, strings, numbers, || and if';

const MOST_NESTED = 400;

class Evaluator {
  private readonly nodes: typeof Nodes;
  private readonly parse: ParseRuby;
  private readonly source: string;
  private readonly context: RubyContext;
  private readonly locals = new Map<string, RubyValue>();
  private readonly budget = new Budget();
  private readonly characters: (byteOffset: number) => number;
  private depth = 0;
  /** Nothing is evaluated any more: what follows a value that could not be made means little. */
  private exhausted = false;
  /** What is evaluated for its effect. */
  private statement: RubyNode | undefined;

  constructor(nodes: typeof Nodes, parse: ParseRuby, source: string, context: RubyContext) {
    this.nodes = nodes;
    this.parse = parse;
    this.source = source;
    this.context = context;
    this.characters = charactersOf(source);
  }

  /** false: this is no Ruby, and nothing was evaluated. */
  async run(): Promise<boolean> {
    const parsed = this.parse(this.source);
    if (!parsed) {
      this.context.problem(0, "the tags are nested too deeply, or there are too many of them");
      return false;
    }
    const { value: program, errors } = parsed;
    const [first] = errors;
    // What follows the first mistake is mostly its echo.
    if (first) this.context.problem(this.characters(first.location.startOffset), `not valid Ruby: ${first.message}`);
    else await this.statements(program.statements);
    return first === undefined && !this.exhausted;
  }

  /** Every statement on its own, so that each one's failure is told. The value is the last one's. */
  private async statements(list: Nodes.StatementsNode): Promise<RubyValue> {
    let last: RubyValue = null;
    for (const statement of list.body) {
      if (this.exhausted) break;
      const { depth } = this;
      this.statement = statement;
      try {
        last = await this.value(statement);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        last = null;
        this.depth = depth;
        this.context.problem(this.characters(error.node.location.startOffset), error.message);
      }
    }
    return last;
  }

  /** The value of what stands in brackets or a block: as `statements`, but a failure is its own. */
  private async body(list: RubyNode | null): Promise<RubyValue> {
    if (!(list instanceof this.nodes.StatementsNode)) return list ? this.value(list) : null;
    let last: RubyValue = null;
    for (const statement of list.body) last = await this.value(statement);
    return last;
  }

  /** @throws Failure */
  private async value(node: RubyNode): Promise<RubyValue> {
    this.depth += 1;
    try {
      if (this.depth > MOST_NESTED) throw new TooMuch("this is nested too deeply");
      const value = await this.evaluated(node);
      this.budget.charge(value);
      this.depth -= 1;
      return value;
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
      this.exhausted = true;
      throw new Failure(node, `${error.message}: \`${this.code(node)}\``);
    }
  }

  private async evaluated(node: RubyNode): Promise<RubyValue> {
    const n = this.nodes;
    if (node instanceof n.StringNode) return this.text(node, node.unescaped);
    if (node instanceof n.InterpolatedStringNode) return this.interpolated(node.parts);
    if (node instanceof n.XStringNode) return this.command(node, this.text(node, node.unescaped));
    if (node instanceof n.InterpolatedXStringNode) return this.command(node, await this.interpolated(node.parts));
    if (node instanceof n.IntegerNode) return integerOf(this.written(node));
    if (node instanceof n.FloatNode) return node.value;
    if (node instanceof n.NilNode) return null;
    if (node instanceof n.TrueNode) return true;
    if (node instanceof n.FalseNode) return false;
    if (node instanceof n.ArrayNode) return this.each(node.elements);
    if (node instanceof n.ParenthesesNode) return this.body(node.body);
    if (node instanceof n.OrNode) return this.either(node.left, node.right, false);
    if (node instanceof n.AndNode) return this.either(node.left, node.right, true);
    if (node instanceof n.IfNode) return this.branch(node, node.statements, node.subsequent);
    if (node instanceof n.UnlessNode) return this.branch(node, node.elseClause, node.statements);
    if (node instanceof n.ElseNode) return node.statements && this.statements(node.statements);
    if (node instanceof n.StatementsNode) return this.statements(node);
    if (node instanceof n.LocalVariableReadNode) return this.locals.get(node.name) ?? null;
    if (node instanceof n.LocalVariableWriteNode) return this.assign(node.name, await this.value(node.value));
    if (node instanceof n.LocalVariableOrWriteNode) {
      const before = this.locals.get(node.name) ?? null;
      return truthy(before) ? before : this.assign(node.name, await this.value(node.value));
    }
    if (node instanceof n.IndexOrWriteNode) return this.indexOr(node);
    if (node instanceof n.CallNode) return this.call(node);
    throw this.unsupported(node);
  }

  private text(node: RubyNode, { value, validEncoding }: { value: string; validEncoding: boolean }): string {
    if (!validEncoding) throw new Failure(node, `\`${this.code(node)}\` has bytes that are not UTF-8`);
    return value;
  }

  private async each(list: readonly RubyNode[]): Promise<RubyValue[]> {
    const values: RubyValue[] = [];
    for (const node of list) values.push(await this.value(node));
    return values;
  }

  private async either(left: RubyNode, right: RubyNode, both: boolean): Promise<RubyValue> {
    const first = await this.value(left);
    return truthy(first) === both ? this.value(right) : first;
  }

  private async branch(
    node: Nodes.IfNode | Nodes.UnlessNode,
    yes: RubyNode | null,
    no: RubyNode | null,
  ): Promise<RubyValue> {
    const chosen = truthy(await this.value(node.predicate)) ? yes : no;
    return chosen ? this.value(chosen) : null;
  }

  private assign(name: string, value: RubyValue): RubyValue {
    this.locals.set(name, value);
    return value;
  }

  private async interpolated(parts: readonly RubyNode[]): Promise<string> {
    const texts: string[] = [];
    let size = 0;
    for (const part of parts) {
      const inside = part instanceof this.nodes.EmbeddedStatementsNode ? this.body(part.statements) : this.value(part);
      const text = toText(await inside);
      size += text.length;
      checkSize(size);
      texts.push(text);
    }
    return texts.join("");
  }

  private async call(node: Nodes.CallNode): Promise<RubyValue> {
    const { receiver, name } = node;
    const given = node.arguments_?.arguments_ ?? [];
    if (receiver === null) return this.functionCall(node, given);
    if (receiver instanceof this.nodes.ConstantReadNode)
      return this.constantCall(node, `${receiver.name}.${name}`, await this.each(given));
    if (node.block) throw this.unsupported(node);
    const on = await this.value(receiver);
    if (on === null && node.isSafeNavigation()) return null;
    const args = await this.each(given);
    for (const used of [on, ...args]) this.budget.charge(used);
    try {
      return callMethod(on, name, args);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      throw new Failure(node, this.missing(receiver, on, `${error.message}: \`${this.code(node)}\``));
    }
  }

  private async functionCall(node: Nodes.CallNode, given: readonly RubyNode[]): Promise<RubyValue> {
    const { text, output } = this.context.functions;
    const [first] = given;
    if (node.name === text && first) this.context.text(Number(await this.value(first)));
    else if (node.name === output && first) {
      const offset = this.characters(first.location.startOffset) + 1;
      this.context.output(toText(await this.value(first)), offset);
    } else if (node.name === "require") this.require(node, await this.each(given));
    else throw this.unsupported(node);
    return null;
  }

  private require(node: RubyNode, args: readonly RubyValue[]): void {
    if (isHarmless(args)) return;
    throw new Failure(
      node,
      `\`${this.code(node)}\` cannot be done: there is no Ruby here, so write what you need of it`,
    );
  }

  /** @param called e.g. `ENV.fetch` */
  private async constantCall(node: Nodes.CallNode, called: string, args: readonly RubyValue[]): Promise<RubyValue> {
    const { block } = node;
    const plainBlock = block instanceof this.nodes.BlockNode && block.parameters === null ? block : undefined;
    if (block && !plainBlock) throw this.unsupported(node);
    return this.outside(node, { called, args, isStatement: node === this.statement }, plainBlock);
  }

  /** `ENV["X"] ||= "value"` */
  private async indexOr(node: Nodes.IndexOrWriteNode): Promise<RubyValue> {
    const { receiver, arguments_: given } = node;
    if (!(receiver instanceof this.nodes.ConstantReadNode) || node.block) throw this.unsupported(node);
    const args = await this.each(given?.arguments_ ?? []);
    const before = await this.outside(node, { called: `${receiver.name}.[]`, args });
    if (truthy(before)) return before;
    return this.outside(node, { called: `${receiver.name}.[]=`, args: [...args, await this.value(node.value)] });
  }

  private async outside(node: RubyNode, call: Call, block?: Nodes.BlockNode): Promise<RubyValue> {
    try {
      return await callConstant(call, {
        ...this.context,
        block: block && (() => this.body(block.body)),
        note: (message) => this.context.note(this.characters(node.location.startOffset), message),
      });
    } catch (error) {
      if (error instanceof Refused) throw new Failure(node, error.message);
      if (error instanceof Unsupported) throw this.unsupported(node);
      throw error;
    }
  }

  private async command(node: RubyNode, command: string): Promise<string> {
    const { cwd, environment } = this.context;
    try {
      return await localCommand(command, { cwd, environment: await commandEnvironment(environment) });
    } catch (error) {
      if (!(error instanceof LocalCommandError)) throw error;
      throw new Failure(node, `${this.code(node)} ${error.message}`);
    }
  }

  private missing(receiver: RubyNode, value: RubyValue, message: string): string {
    return value === null && this.code(receiver) !== "nil" ? `${message} (${this.code(receiver)} is nil)` : message;
  }

  private unsupported(node: RubyNode): Failure {
    return new Failure(node, `\`${this.code(node)}\` is beyond the part of Ruby known here: write ${SUPPORTED}`);
  }

  /** As the user wrote it, in short. */
  private code({ location }: RubyNode): string {
    return this.context.excerpt(
      this.characters(location.startOffset),
      this.characters(location.startOffset + location.length),
    );
  }

  private written({ location }: RubyNode): string {
    const [from, to] = [location.startOffset, location.startOffset + location.length];
    return this.source.slice(this.characters(from), this.characters(to));
  }
}
