import type * as Nodes from "@ruby/prism/src/nodes.js";
import { Budget, checkSize, TooMuch } from "./budget.ts";
import { Calls, constantName, type Evaluation, type GivenBlock } from "./calls.ts";
import type { RubyContext } from "./context.ts";
import { integerOf } from "./integer.ts";
import { BreakJump, NextJump, ReturnJump } from "./jumps.ts";
import { firstUnknown } from "./known.ts";
import { bindParameters } from "./parameters.ts";
import { rangeItems } from "./numbers.ts";
import { loadPrism, type ParseRuby, type RubyNode } from "./prism.ts";
import { Failure, ProgramSource } from "./program-source.ts";
import { regexpOf } from "./regexp.ts";
import {
  isA,
  isKnownClass,
  isList,
  matchesPattern,
  RubyClass,
  type RubyException,
  RubyHash,
  RubyProc,
  RubyRange,
  type RubyRegexp,
  RubySymbol,
  type RubyValue,
  toText,
  truthy,
} from "./ruby-values.ts";
import { Scope } from "./scope.ts";

interface Ruby {
  /** @returns whether the program is valid Ruby and its evaluation reached its end */
  evaluate(source: string, context: RubyContext): Promise<boolean>;
  /** Reports the first construct that is certainly beyond the supported part, before anything is evaluated. */
  check(source: string, context: RubyContext): void;
}

/** Evaluates a part of Ruby on Ruby's own syntax tree, and reports everything else. Nothing is ever `eval`ed. */
export async function loadRuby(): Promise<Ruby> {
  const [nodes, parse] = await Promise.all([import("@ruby/prism/src/nodes.js"), loadPrism()]);
  return {
    evaluate: (source, context) => new Evaluator(nodes, source, context).run(parse),
    check: (source, context) => new Evaluator(nodes, source, context).check(parse),
  };
}

const MOST_NESTED = 400;

type Evaluate = (node: RubyNode) => Promise<RubyValue>;

class Evaluator implements Evaluation {
  readonly nodes: typeof Nodes;
  readonly context: RubyContext;
  readonly source: ProgramSource;
  readonly budget = new Budget();
  private readonly program: string;
  private readonly calls: Calls;
  private readonly evaluations: ReadonlyMap<unknown, Evaluate>;
  private readonly constants = new Map<string, RubyValue>();
  private readonly attributes = new Map<string, RubyValue>();
  private readonly ownMethods = new Map<string, Nodes.DefNode>();
  private scope = new Scope();
  private depth = 0;
  /** Nothing more is evaluated: what follows a value that was too large would only fail because of it. */
  private exhausted = false;
  /** The statement under evaluation; its value is not used. */
  private statement: RubyNode | undefined;
  /** How many `rescue` are around the code under evaluation: its failures are theirs. */
  private rescues = 0;
  /** What a `break` leaves here. */
  private target: object = {};

  constructor(nodes: typeof Nodes, program: string, context: RubyContext) {
    this.nodes = nodes;
    this.program = program;
    this.context = context;
    this.source = new ProgramSource(program, context.excerpt);
    this.calls = new Calls(this);
    this.evaluations = this.table();
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

  check(parse: ParseRuby): void {
    const parsed = parse(this.program);
    if (!parsed || parsed.errors.length > 0) return;
    const functions = Object.values(this.context.functions);
    const unknown = firstUnknown(parsed.value, {
      nodes: this.nodes,
      functions,
      canEvaluate: (node) => this.evaluations.has(node.constructor),
    });
    if (unknown) this.context.unsupported(this.source.offset(unknown), this.source.unsupported(unknown).message);
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
        if (!(error instanceof Failure) || this.rescues > 0) throw error;
        last = null;
        this.depth = depth;
        const report = error.unsupported ? this.context.unsupported : this.context.problem;
        report(this.source.offset(error.node), error.message);
      }
    }
    return last;
  }

  isStatement(node: RubyNode): boolean {
    return node === this.statement;
  }

  ownConstant(name: string): RubyValue | undefined {
    return this.constants.get(name);
  }

  /** The value of parentheses or a block. Unlike `statements`, it fails if one of its statements does. */
  private async body(list: RubyNode | null): Promise<RubyValue> {
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

  /** With the items of each `*list`. */
  async values(list: readonly RubyNode[]): Promise<RubyValue[]> {
    const values: RubyValue[] = [];
    for (const node of list) {
      if (!(node instanceof this.nodes.SplatNode)) values.push(await this.value(node));
      else if (node.expression) {
        const items = itemsOf(await this.value(node.expression));
        if (!items) throw this.source.unsupported(node);
        for (const item of items) values.push(item);
      }
    }
    return values;
  }

  block(node: Nodes.BlockNode, isStatement: boolean): GivenBlock {
    const target = {};
    const proc = this.proc(node, target, () =>
      isStatement && node.body instanceof this.nodes.StatementsNode ? this.statements(node.body) : this.body(node.body),
    );
    return { proc, target };
  }

  /** Evaluates the block in the scope around it, whenever it is called. */
  private proc(node: Nodes.BlockNode | Nodes.LambdaNode, target: object, body: () => Promise<RubyValue>): RubyProc {
    const outer = this.scope;
    const strict = node instanceof this.nodes.LambdaNode;
    return new RubyProc(async (args) => {
      this.budget.charge(null);
      const scope = new Scope(outer);
      const run = async () => {
        const bind = () => bindParameters(this, node.parameters, args, { scope, strict });
        await this.calls.guarded(node, bind);
        return body();
      };
      return this.within(scope, target, run);
    });
  }

  ownMethod(name: string, args: readonly RubyValue[], node: RubyNode): Promise<RubyValue> | undefined {
    const method = this.ownMethods.get(name);
    if (!method) return undefined;
    const scope = new Scope();
    const run = async () => {
      await this.calls.guarded(node, () => bindParameters(this, method.parameters, args, { scope, strict: true }));
      return this.body(method.body);
    };
    return this.within(scope, {}, run);
  }

  /** Evaluates the body of a block or of a method. `next` and `return` end it. */
  private async within(scope: Scope, target: object, run: () => Promise<RubyValue>): Promise<RubyValue> {
    const before = { scope: this.scope, target: this.target, depth: this.depth, statement: this.statement };
    this.scope = scope;
    this.target = target;
    try {
      return await run();
    } catch (error) {
      if (error instanceof NextJump || error instanceof ReturnJump) return error.value;
      throw error;
    } finally {
      this.scope = before.scope;
      this.target = before.target;
      this.depth = before.depth;
      this.statement = before.statement;
    }
  }

  private evaluated(node: RubyNode): Promise<RubyValue> {
    const evaluate = this.evaluations.get(node.constructor);
    if (!evaluate) throw this.source.unsupported(node);
    return evaluate(node);
  }

  /** By class of node. */
  private table(): ReadonlyMap<unknown, Evaluate> {
    const n = this.nodes;
    const table = new Map<unknown, Evaluate>();
    const on = <T extends RubyNode>(
      type: abstract new (...args: never[]) => T,
      evaluate: (node: T) => RubyValue | Promise<RubyValue>,
    ) => {
      table.set(type, async (node) => evaluate(node as T));
    };
    on(n.StringNode, (node) => this.text(node, node.unescaped));
    on(n.InterpolatedStringNode, (node) => this.interpolated(node.parts));
    on(n.XStringNode, (node) => this.calls.command(node, this.text(node, node.unescaped)));
    on(n.InterpolatedXStringNode, async (node) => this.calls.command(node, await this.interpolated(node.parts)));
    on(n.SymbolNode, (node) => new RubySymbol(this.text(node, node.unescaped)));
    on(n.InterpolatedSymbolNode, async (node) => new RubySymbol(await this.interpolated(node.parts)));
    on(n.RegularExpressionNode, (node) => this.regexp(node, this.text(node, node.unescaped)));
    on(n.InterpolatedRegularExpressionNode, async (node) => this.regexp(node, await this.interpolated(node.parts)));
    on(n.IntegerNode, (node) => integerOf(this.source.written(node)));
    on(n.FloatNode, (node) => node.value);
    on(n.NilNode, () => null);
    on(n.TrueNode, () => true);
    on(n.FalseNode, () => false);
    // Kamal gives the program no name.
    on(n.SourceFileNode, () => "(erb)");
    on(n.ArrayNode, (node) => this.values(node.elements));
    on(n.HashNode, (node) => this.hash(node));
    on(n.KeywordHashNode, (node) => this.hash(node));
    on(n.ImplicitNode, (node) => this.value(node.value));
    on(n.RangeNode, async (node) => {
      const from = node.left ? await this.value(node.left) : null;
      return new RubyRange(from, node.right ? await this.value(node.right) : null, node.isExcludeEnd());
    });
    on(n.ParenthesesNode, (node) => this.body(node.body));
    on(n.OrNode, (node) => this.either(node.left, node.right, false));
    on(n.AndNode, (node) => this.either(node.left, node.right, true));
    on(n.IfNode, (node) => this.branch(node, node.statements, node.subsequent));
    on(n.UnlessNode, (node) => this.branch(node, node.elseClause, node.statements));
    on(n.ElseNode, (node) => node.statements && this.statements(node.statements));
    on(n.CaseNode, (node) => this.chosen(node));
    on(n.WhileNode, (node) => this.loop(node, true));
    on(n.UntilNode, (node) => this.loop(node, false));
    on(n.ForNode, (node) => this.forEach(node));
    on(n.BeginNode, (node) => this.begin(node));
    on(n.RescueModifierNode, (node) => this.rescueModifier(node));
    on(n.StatementsNode, (node) => this.statements(node));
    on(n.LocalVariableReadNode, (node) => this.scope.get(node.name, node.depth));
    on(n.ItLocalVariableReadNode, () => this.scope.get("it"));
    on(n.LocalVariableWriteNode, async (node) => this.scope.set(node.name, await this.value(node.value), node.depth));
    on(n.LocalVariableOrWriteNode, async (node) => {
      const before = this.scope.get(node.name, node.depth);
      return truthy(before) ? before : this.scope.set(node.name, await this.value(node.value), node.depth);
    });
    on(n.LocalVariableAndWriteNode, async (node) => {
      const before = this.scope.get(node.name, node.depth);
      return truthy(before) ? this.scope.set(node.name, await this.value(node.value), node.depth) : before;
    });
    on(n.LocalVariableOperatorWriteNode, async (node) => {
      const before = this.scope.get(node.name, node.depth);
      const after = await this.calls.operate(node, before, node.binaryOperator, await this.value(node.value));
      return this.scope.set(node.name, after, node.depth);
    });
    on(n.InstanceVariableReadNode, (node) => this.attributes.get(node.name) ?? null);
    on(n.InstanceVariableWriteNode, async (node) => this.setAttribute(node.name, await this.value(node.value)));
    on(n.InstanceVariableOrWriteNode, async (node) => {
      const before = this.attributes.get(node.name) ?? null;
      return truthy(before) ? before : this.setAttribute(node.name, await this.value(node.value));
    });
    on(n.ConstantWriteNode, async (node) => {
      const value = await this.value(node.value);
      this.constants.set(node.name, value);
      return value;
    });
    on(n.ConstantReadNode, (node) => this.constant(node));
    on(n.ConstantPathNode, (node) => this.constant(node));
    on(n.MultiWriteNode, async (node) => {
      const value = await this.value(node.value);
      await this.destructure(node, value);
      return value;
    });
    on(n.IndexOrWriteNode, (node) => this.calls.indexWrite(node));
    on(n.IndexAndWriteNode, (node) => this.calls.indexWrite(node));
    on(n.IndexOperatorWriteNode, (node) => this.calls.indexWrite(node));
    on(n.CallNode, (node) => this.calls.call(node));
    on(n.LambdaNode, (node) => this.proc(node, {}, () => this.body(node.body)));
    on(n.DefNode, (node) => {
      if (node.receiver) throw this.source.unsupported(node);
      this.ownMethods.set(node.name, node);
      return new RubySymbol(node.name);
    });
    on(n.NextNode, async (node) => {
      throw new NextJump(await this.jumpValue(node.arguments_));
    });
    on(n.BreakNode, async (node) => {
      throw new BreakJump(this.target, await this.jumpValue(node.arguments_));
    });
    on(n.ReturnNode, async (node) => {
      throw new ReturnJump(await this.jumpValue(node.arguments_));
    });
    return table;
  }

  private text(node: RubyNode, { value, validEncoding }: { value: string; validEncoding: boolean }): string {
    if (!validEncoding) throw new Failure(node, `\`${this.source.excerpt(node)}\` has bytes that are not UTF-8`);
    return value;
  }

  private regexp(
    node: Nodes.RegularExpressionNode | Nodes.InterpolatedRegularExpressionNode,
    source: string,
  ): Promise<RubyRegexp> {
    if (node.isExtended()) throw this.source.unsupported(node);
    const options = { ignoreCase: node.isIgnoreCase(), dotAll: node.isMultiLine() };
    return this.calls.guarded(
      node,
      () => regexpOf(source, options),
      (message) => `${message}: \`${this.source.excerpt(node)}\``,
    );
  }

  private async hash({ elements }: Nodes.HashNode | Nodes.KeywordHashNode): Promise<RubyHash> {
    const hash = new RubyHash();
    for (const element of elements) {
      if (element instanceof this.nodes.AssocNode) {
        const key = await this.value(element.key);
        const value = await this.value(element.value);
        await this.calls.guarded(element, () => hash.set(key, value));
      } else if (element instanceof this.nodes.AssocSplatNode && element.value) {
        const more = await this.value(element.value);
        if (!(more instanceof RubyHash)) throw this.source.unsupported(element);
        for (const [key, value] of more.pairs()) hash.set(key, value);
      } else {
        throw this.source.unsupported(element);
      }
    }
    return hash;
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

  private async chosen({ predicate, conditions, elseClause }: Nodes.CaseNode): Promise<RubyValue> {
    const value = predicate ? await this.value(predicate) : null;
    for (const condition of conditions) {
      if (!(condition instanceof this.nodes.WhenNode)) throw this.source.unsupported(condition);
      for (const pattern of await this.values(condition.conditions)) {
        const matches = predicate
          ? await this.calls.guarded(condition, () => matchesPattern(pattern, value))
          : truthy(pattern);
        if (matches) return condition.statements ? this.value(condition.statements) : null;
      }
    }
    return elseClause ? this.value(elseClause) : null;
  }

  private loop(node: Nodes.WhileNode | Nodes.UntilNode, wanted: boolean): Promise<RubyValue> {
    // `begin … end while` evaluates its body before its condition.
    let first = node.isBeginModifier();
    return this.looped(node.statements, async () => {
      const goesOn = first || truthy(await this.value(node.predicate)) === wanted;
      first = false;
      return goesOn;
    });
  }

  private async forEach({ index, collection, statements }: Nodes.ForNode): Promise<RubyValue> {
    const on = await this.value(collection);
    const items = isList(on) || on instanceof RubyRange || on instanceof RubyHash ? itemsOf(on) : undefined;
    if (!items) throw this.source.unsupported(collection);
    const waiting = items.toReversed();
    const next = async () => {
      const item = waiting.pop();
      if (item !== undefined) await this.assign(index, item);
      return item !== undefined;
    };
    const left = await this.looped(statements, next);
    return left ?? on;
  }

  /** Evaluates the body, in the scope around it, while `next` is true. The value is that of `break`. */
  private async looped(body: Nodes.StatementsNode | null, next: () => Promise<boolean>): Promise<RubyValue> {
    const { target, depth } = this;
    this.target = {};
    try {
      while (!this.exhausted && (await next())) {
        this.budget.charge(null);
        try {
          if (body) await this.value(body);
        } catch (error) {
          if (!(error instanceof NextJump)) throw error;
          this.depth = depth;
        }
      }
      return null;
    } catch (error) {
      if (error instanceof BreakJump && error.target === this.target) return error.value;
      throw error;
    } finally {
      this.target = target;
      this.depth = depth;
    }
  }

  private async begin(node: Nodes.BeginNode): Promise<RubyValue> {
    const { statements, rescueClause, elseClause, ensureClause } = node;
    try {
      if (!rescueClause) return statements ? await this.value(statements) : null;
      const run = async () => (statements ? this.value(statements) : null);
      const value = await this.rescued(run, (exception) => this.rescue(rescueClause, exception));
      if (value.failed || !elseClause) return value.result;
      return await this.value(elseClause);
    } finally {
      if (ensureClause?.statements && !this.exhausted) await this.value(ensureClause.statements);
    }
  }

  private async rescueModifier({ expression, rescueExpression }: Nodes.RescueModifierNode): Promise<RubyValue> {
    const standard = new RubyClass("StandardError");
    const { result } = await this.rescued(
      () => this.value(expression),
      async (exception) => (isA(exception, standard) ? () => this.value(rescueExpression) : undefined),
    );
    return result;
  }

  /** @param handler what to evaluate instead; undefined if the exception is not rescued */
  private async rescued(
    run: () => Promise<RubyValue>,
    handler: (exception: RubyException) => Promise<(() => Promise<RubyValue>) | undefined>,
  ): Promise<{ readonly failed: boolean; readonly result: RubyValue }> {
    const before = { depth: this.depth, scope: this.scope, target: this.target };
    this.rescues += 1;
    let failure: unknown;
    try {
      return { failed: false, result: await run() };
    } catch (error) {
      failure = error;
    } finally {
      this.rescues -= 1;
    }
    const exception = failure instanceof Failure ? failure.exception : undefined;
    if (!exception) throw failure;
    this.depth = before.depth;
    const chosen = await handler(exception);
    if (!chosen) throw failure;
    return { failed: true, result: await chosen() };
  }

  /** The first clause that has the exception's class. */
  private async rescue(
    clause: Nodes.RescueNode,
    exception: RubyException,
  ): Promise<(() => Promise<RubyValue>) | undefined> {
    const given = await this.values(clause.exceptions);
    const classes = given.length > 0 ? given : [new RubyClass("StandardError")];
    const matches = classes.some((one) => one instanceof RubyClass && isA(exception, one));
    if (!matches) return clause.subsequent ? this.rescue(clause.subsequent, exception) : undefined;
    if (clause.reference) await this.assign(clause.reference, exception);
    return async () => (clause.statements ? this.value(clause.statements) : null);
  }

  private constant(node: Nodes.ConstantReadNode | Nodes.ConstantPathNode): RubyValue {
    const name = constantName(this.nodes, node);
    const own = name === undefined ? undefined : this.constants.get(name);
    if (own !== undefined) return own;
    if (name === "File::SEPARATOR") return "/";
    if (name === undefined || !isKnownClass(name)) throw this.source.unsupported(node);
    return new RubyClass(name);
  }

  private setAttribute(name: string, value: RubyValue): RubyValue {
    this.attributes.set(name, value);
    return value;
  }

  async assign(target: RubyNode, value: RubyValue): Promise<void> {
    const n = this.nodes;
    if (target instanceof n.LocalVariableTargetNode) this.scope.set(target.name, value, target.depth);
    else if (target instanceof n.RequiredParameterNode || target instanceof n.OptionalParameterNode)
      this.scope.set(target.name, value);
    else if (target instanceof n.RestParameterNode) {
      if (target.name !== null) this.scope.set(target.name, value);
    } else if (target instanceof n.InstanceVariableTargetNode) this.setAttribute(target.name, value);
    else if (target instanceof n.MultiTargetNode) await this.destructure(target, value);
    else if (target instanceof n.SplatNode) {
      if (target.expression) await this.assign(target.expression, value);
    } else throw this.source.unsupported(target);
  }

  /** `a, (b, *c) = value` */
  private async destructure(
    { lefts, rest, rights }: Nodes.MultiWriteNode | Nodes.MultiTargetNode,
    value: RubyValue,
  ): Promise<void> {
    const values = isList(value) ? value : [value];
    for (const [index, target] of lefts.entries()) await this.assign(target, values[index] ?? null);
    const end = Math.max(lefts.length, values.length - rights.length);
    if (rest instanceof this.nodes.SplatNode) await this.assign(rest, values.slice(lefts.length, end));
    const start = rest ? end : lefts.length;
    for (const [index, target] of rights.entries()) await this.assign(target, values[start + index] ?? null);
  }

  private async jumpValue(given: Nodes.ArgumentsNode | null): Promise<RubyValue> {
    const values = await this.values(given?.arguments_ ?? []);
    return values.length > 1 ? values : (values[0] ?? null);
  }

  private async interpolated(parts: readonly RubyNode[]): Promise<string> {
    const texts: string[] = [];
    let size = 0;
    for (const part of parts) {
      const value = await this.part(part);
      const text = await this.calls.guarded(part, () => toText(value));
      size += text.length;
      checkSize(size);
      texts.push(text);
    }
    return texts.join("");
  }

  private part(part: RubyNode): Promise<RubyValue> {
    if (part instanceof this.nodes.EmbeddedStatementsNode) return this.body(part.statements);
    return this.value(part instanceof this.nodes.EmbeddedVariableNode ? part.variable : part);
  }
}

/** The items that `*value` stands for; undefined for a range that is not supported. */
function itemsOf(value: RubyValue): RubyValue[] | undefined {
  if (value === null) return [];
  if (value instanceof RubyHash) return value.pairs();
  if (value instanceof RubyRange) return rangeItems(value);
  return isList(value) ? value : [value];
}
