import type * as Nodes from "@ruby/prism/src/nodes.js";
import { Budget, checkSize, TooMuch } from "./budget.ts";
import { Calls, type Evaluation } from "./calls.ts";
import type { RubyContext } from "./context.ts";
import { integerOf } from "./integer.ts";
import { loadPrism, type ParseRuby, type RubyNode } from "./prism.ts";
import { Failure, ProgramSource } from "./program-source.ts";
import { type RubyValue, toText, truthy } from "./ruby-values.ts";

/** Evaluates a part of Ruby on Ruby's own syntax tree, and reports everything else. Nothing is ever `eval`ed. */
export async function loadRuby(): Promise<{ evaluate(source: string, context: RubyContext): Promise<boolean> }> {
  const [nodes, parse] = await Promise.all([import("@ruby/prism/src/nodes.js"), loadPrism()]);
  return { evaluate: (source, context) => new Evaluator(nodes, source, context).run(parse) };
}

const MOST_NESTED = 400;

class Evaluator implements Evaluation {
  readonly nodes: typeof Nodes;
  readonly context: RubyContext;
  readonly source: ProgramSource;
  readonly budget = new Budget();
  private readonly program: string;
  private readonly calls: Calls;
  private readonly locals = new Map<string, RubyValue>();
  private depth = 0;
  /** Nothing more is evaluated: what follows a value that was too large would only fail because of it. */
  private exhausted = false;
  /** The statement under evaluation; its value is not used. */
  private statement: RubyNode | undefined;

  constructor(nodes: typeof Nodes, program: string, context: RubyContext) {
    this.nodes = nodes;
    this.program = program;
    this.context = context;
    this.source = new ProgramSource(program, context.excerpt);
    this.calls = new Calls(this);
  }

  /** false: the program is not valid Ruby, or evaluation stopped before its end. */
  async run(parse: ParseRuby): Promise<boolean> {
    const parsed = parse(this.program);
    if (!parsed) {
      this.context.problem(0, "the tags are nested too deeply, or there are too many of them");
      return false;
    }
    const { value: program, errors } = parsed;
    const [first] = errors;
    // The parser's further errors mostly follow from the first.
    if (first) this.context.problem(this.source.offset(first), `not valid Ruby: ${first.message}`);
    else await this.statements(program.statements);
    return first === undefined && !this.exhausted;
  }

  /** Goes on after a statement that failed, so that every failure is reported. The value is that of the last statement. */
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
        this.context.problem(this.source.offset(error.node), error.message);
      }
    }
    return last;
  }

  isStatement(node: RubyNode): boolean {
    return node === this.statement;
  }

  /** The value of parentheses or a block. Unlike `statements`, it fails if one of its statements does. */
  async body(list: RubyNode | null): Promise<RubyValue> {
    if (!(list instanceof this.nodes.StatementsNode)) return list ? this.value(list) : null;
    let last: RubyValue = null;
    for (const statement of list.body) last = await this.value(statement);
    return last;
  }

  /** @throws Failure */
  async value(node: RubyNode): Promise<RubyValue> {
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
      throw new Failure(node, `${error.message}: \`${this.source.excerpt(node)}\``);
    }
  }

  async values(list: readonly RubyNode[]): Promise<RubyValue[]> {
    const values: RubyValue[] = [];
    for (const node of list) values.push(await this.value(node));
    return values;
  }

  private async evaluated(node: RubyNode): Promise<RubyValue> {
    const n = this.nodes;
    if (node instanceof n.StringNode) return this.text(node, node.unescaped);
    if (node instanceof n.InterpolatedStringNode) return this.interpolated(node.parts);
    if (node instanceof n.XStringNode) return this.calls.command(node, this.text(node, node.unescaped));
    if (node instanceof n.InterpolatedXStringNode) return this.calls.command(node, await this.interpolated(node.parts));
    if (node instanceof n.IntegerNode) return integerOf(this.source.written(node));
    if (node instanceof n.FloatNode) return node.value;
    if (node instanceof n.NilNode) return null;
    if (node instanceof n.TrueNode) return true;
    if (node instanceof n.FalseNode) return false;
    if (node instanceof n.ArrayNode) return this.values(node.elements);
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
    if (node instanceof n.IndexOrWriteNode) return this.calls.indexOr(node);
    if (node instanceof n.CallNode) return this.calls.call(node);
    throw this.source.unsupported(node);
  }

  private text(node: RubyNode, { value, validEncoding }: { value: string; validEncoding: boolean }): string {
    if (!validEncoding) throw new Failure(node, `\`${this.source.excerpt(node)}\` has bytes that are not UTF-8`);
    return value;
  }

  /** `||` and `&&`. */
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
}
