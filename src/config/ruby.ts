import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type * as Nodes from "@ruby/prism/src/nodes.js";
import { fileReason } from "../file-problem.ts";
import { LocalCommandError, localCommand } from "./local-command.ts";
import { loadPrism, type ParseRuby, type RubyNode } from "./prism.ts";
import { callMethod, type RubyValue, toText, truthy, Unsupported } from "./ruby-values.ts";
import { commandEnvironment, type Variables } from "./variables.ts";

/** What a template's program talks to. Offsets are those of the program. */
export interface RubyContext {
  readonly environment: Variables;
  readonly cwd: string;
  /** `__text(index)` */
  readonly text: (index: number) => void;
  /** `__output(value)` */
  readonly output: (value: string, offset: number) => void;
  readonly problem: (offset: number, message: string) => void;
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

class Evaluator {
  private readonly nodes: typeof Nodes;
  private readonly parse: ParseRuby;
  private readonly bytes: Buffer;
  private readonly context: RubyContext;
  private readonly locals = new Map<string, RubyValue>();

  constructor(nodes: typeof Nodes, parse: ParseRuby, source: string, context: RubyContext) {
    this.nodes = nodes;
    this.parse = parse;
    this.bytes = Buffer.from(source);
    this.context = context;
  }

  /** false: this is no Ruby, and nothing was evaluated. */
  async run(): Promise<boolean> {
    const { value: program, errors } = this.parse(this.bytes.toString());
    const [first] = errors;
    // What follows the first mistake is mostly its echo.
    if (first) this.context.problem(this.characters(first.location.startOffset), `not valid Ruby: ${first.message}`);
    else await this.statements(program.statements);
    return first === undefined;
  }

  /** Every statement on its own, so that each one's failure is told. The value is the last one's. */
  private async statements(list: RubyNode | null): Promise<RubyValue> {
    let last: RubyValue = null;
    for (const statement of list instanceof this.nodes.StatementsNode ? list.body : []) {
      try {
        last = await this.value(statement);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        last = null;
        this.context.problem(this.characters(error.node.location.startOffset), error.message);
      }
    }
    return last;
  }

  /** The value of an expression: as `statements`, but a failure is its own. */
  private async body(list: RubyNode | null): Promise<RubyValue> {
    let last: RubyValue = null;
    for (const statement of list instanceof this.nodes.StatementsNode ? list.body : [])
      last = await this.value(statement);
    return last;
  }

  private async value(node: RubyNode): Promise<RubyValue> {
    const n = this.nodes;
    if (node instanceof n.StringNode) return node.unescaped.value;
    if (node instanceof n.InterpolatedStringNode) return this.interpolated(node.parts);
    if (node instanceof n.XStringNode) return this.command(node, node.unescaped.value);
    if (node instanceof n.InterpolatedXStringNode) return this.command(node, await this.interpolated(node.parts));
    if (node instanceof n.IntegerNode) return BigInt(node.value);
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
    if (node instanceof n.ElseNode) return this.statements(node.statements);
    if (node instanceof n.StatementsNode) return this.statements(node);
    if (node instanceof n.LocalVariableReadNode) return this.locals.get(node.name) ?? null;
    if (node instanceof n.LocalVariableWriteNode) return this.assign(node.name, await this.value(node.value));
    if (node instanceof n.LocalVariableOrWriteNode) {
      const before = this.locals.get(node.name) ?? null;
      return truthy(before) ? before : this.assign(node.name, await this.value(node.value));
    }
    if (node instanceof n.CallNode) return this.call(node);
    throw this.unsupported(node);
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
    let text = "";
    for (const part of parts) {
      const inside = part instanceof this.nodes.EmbeddedStatementsNode ? this.body(part.statements) : this.value(part);
      text += toText(await inside);
    }
    return text;
  }

  private async call(node: Nodes.CallNode): Promise<RubyValue> {
    const { receiver, name } = node;
    const given = node.arguments_?.arguments_ ?? [];
    if (receiver === null) return this.functionCall(node, given);
    if (receiver instanceof this.nodes.ConstantReadNode) return this.constantCall(node, receiver.name, given);
    if (node.block) throw this.unsupported(node);
    const on = await this.value(receiver);
    if (on === null && node.isSafeNavigation()) return null;
    const args = await this.each(given);
    try {
      return callMethod(on, name, args);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      throw new Failure(node, this.missing(receiver, on, `${error.message}: \`${this.code(node)}\``));
    }
  }

  private async functionCall(node: Nodes.CallNode, given: readonly RubyNode[]): Promise<RubyValue> {
    const [first] = given;
    if (node.name === "__text" && first) this.context.text(Number(await this.value(first)));
    else if (node.name === "__output" && first) {
      const offset = this.characters(first.location.startOffset) + 1;
      this.context.output(toText(await this.value(first)), offset);
    } else if (node.name !== "require" && node.name !== "require_relative") throw this.unsupported(node);
    return null;
  }

  private async constantCall(node: Nodes.CallNode, constant: string, given: readonly RubyNode[]): Promise<RubyValue> {
    const called = `${constant}.${node.name}`;
    // The files are loaded before the template is read.
    if (called === "Dotenv.load") return null;
    const [name, fallback] = await this.each(given);
    if (typeof name !== "string") throw this.unsupported(node);
    if (called === "File.read") return this.file(node, name);
    const value = constant === "ENV" ? ((await this.context.environment.get(name)) ?? null) : null;
    switch (called) {
      case "ENV.[]":
        return value;
      case "ENV.key?":
      case "ENV.has_key?":
      case "ENV.include?":
        return value !== null;
      case "ENV.fetch":
        if (value !== null) return value;
        if (node.block instanceof this.nodes.BlockNode) return this.body(node.block.body);
        if (fallback !== undefined) return fallback;
        throw new Failure(node, `${name} is not set (asked for by ENV.fetch)`);
      default:
        throw this.unsupported(node);
    }
  }

  private async file(node: RubyNode, path: string): Promise<string> {
    try {
      return await readFile(resolve(this.context.cwd, path), "utf8");
    } catch (error) {
      throw new Failure(node, `cannot read ${path}: ${fileReason(error) ?? (error as Error).message}`);
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

  private code({ location }: RubyNode): string {
    const code = this.bytes.subarray(location.startOffset, location.startOffset + location.length).toString();
    const line = code.replace(/\s+/g, " ").trim();
    return line.length > 60 ? `${line.slice(0, 57)}...` : line;
  }

  /** The parser counts bytes. */
  private characters(offset: number): number {
    return this.bytes.subarray(0, offset).toString().length;
  }
}
